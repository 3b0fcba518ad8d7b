import type {
  ConnectorSource,
  ExpressionSource,
  FileSource,
  NameMode,
  OpenApiSource,
  Rate,
  StepSource,
  TemplateSource,
} from '../core/written.ts';

type Formats = {
  duration: number;
  size: number;
  rate: Rate;
  expression: ExpressionSource;
  file: FileSource;
  openapi: OpenApiSource;
  path: string;
  password: string;
  uri: string;
  name: string;
  cron: string;
  timezone: string;
};

type Present<S> = S extends { required: readonly (infer R)[] } ? R : never;
type Defaulted<P> = { [K in keyof P]: P[K] extends { default: unknown } ? K : never }[keyof P];

type ObjectOf<S, P> = {
  readonly [K in keyof P as K extends Present<S> | Defaulted<P> ? K : never]: Infer<P[K]>;
} & {
  readonly [K in keyof P as K extends Present<S> | Defaulted<P> ? never : K]?: Infer<P[K]> | undefined;
} & (S extends { slot: string } ? { readonly connector?: ConnectorSource | undefined } : unknown);

/** The TypeScript type of a value read by the schema literal `S`. */
export type Infer<S> = S extends { template: true | 'path' | NameMode }
  ? TemplateSource
  : S extends { either: readonly (infer E)[] }
    ? Infer<E>
    : S extends { any: true }
      ? unknown
      : S extends { format: infer F extends keyof Formats }
        ? Formats[F]
        : S extends { kind: 'steps' }
          ? readonly StepSource[]
          : S extends { enum: readonly (infer E)[] }
            ? E
            : S extends { type: 'string' }
              ? string
              : S extends { type: 'integer' | 'number' }
                ? number
                : S extends { type: 'boolean' }
                  ? boolean
                  : S extends { type: 'array'; items: infer I }
                    ? readonly Infer<I>[]
                    : S extends { properties: infer P }
                      ? ObjectOf<S, P>
                      : S extends { additionalProperties: infer A }
                        ? Readonly<Record<string, Infer<A>>>
                        : unknown;
