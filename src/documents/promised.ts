import type { ContractContent, ContractOperation } from '../core/contract.ts';

type Json = Readonly<Record<string, unknown>>;

/** As the document of the contract says. */
export function promised(operation: ContractOperation, schemaOf: (schema: unknown) => unknown): Json {
  const { told, parameters, body, answers } = operation;
  const described = (schema: unknown, mediaType: string | undefined): Json =>
    mediaType === undefined ? { schema: schemaOf(schema) } : { content: { [mediaType]: { schema: schemaOf(schema) } } };
  const contents = (all: readonly ContractContent[]): Json =>
    Object.fromEntries(
      all.map((one) => [
        one.mediaType,
        { ...one.told, ...(one.schema === undefined ? {} : { schema: schemaOf(one.schema) }) },
      ]),
    );
  const { security: _, ...said } = told;
  return {
    ...said,
    ...(parameters.length > 0
      ? {
          parameters: parameters.map(
            ({ name, in: place, required, style, explode, mediaType, schema, told: more }) => ({
              name,
              in: place,
              ...more,
              ...(required ? { required } : {}),
              ...(mediaType === undefined ? { style, explode } : {}),
              ...described(schema, mediaType),
            }),
          ),
        }
      : {}),
    ...(body
      ? {
          requestBody: { ...body.told, ...(body.required ? { required: true } : {}), content: contents(body.contents) },
        }
      : {}),
    responses: Object.fromEntries(
      answers.map((answer) => [
        answer.status,
        {
          ...answer.told,
          ...(answer.headers.length > 0
            ? {
                headers: Object.fromEntries(
                  answer.headers.map((header) => [
                    header.name,
                    {
                      ...header.told,
                      ...(header.required ? { required: true } : {}),
                      ...described(header.schema, header.mediaType),
                    },
                  ]),
                ),
              }
            : {}),
          ...(answer.contents.length > 0 ? { content: contents(answer.contents) } : {}),
        },
      ]),
    ),
  };
}
