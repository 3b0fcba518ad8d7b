/** An order service as its document describes it. */
export const shopApi = `
openapi: 3.1.0
info: { title: Shop, version: 1.0.0 }
paths:
  /orders:
    post:
      operationId: placeOrder
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: '#/components/schemas/Order' } }
          application/x-www-form-urlencoded: { schema: { $ref: '#/components/schemas/Order' } }
      responses:
        '201':
          description: Placed.
          headers: { Location: { required: true, schema: { type: string } } }
          content: { application/json: { schema: { $ref: '#/components/schemas/Placed' } } }
        '4XX': { description: Refused., content: { application/json: { schema: { type: object, required: [error] } } } }
    get:
      operationId: listOrders
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100 } }
        - { name: tag, in: query, schema: { type: array, items: { type: string, minLength: 2 } } }
        - { name: sort, in: query, explode: false, schema: { type: array, items: { enum: [date, price] } } }
        - { name: filter, in: query, style: deepObject, schema: { type: object, properties: { min: { type: number } } } }
        - { name: X-Tenant, in: header, required: true, schema: { type: string, pattern: '^[a-z]+$' } }
      responses:
        '200': { description: All., content: { application/json: { schema: { type: array } } } }
  /orders/{order-id}:
    parameters: [ { name: order-id, in: path, required: true, schema: { type: integer } } ]
    get:
      operationId: getOrder
      responses:
        '200': { description: One., content: { application/json: { schema: { $ref: '#/components/schemas/Placed' } } } }
        '204': { description: None. }
  /files:
    put:
      operationId: putFile
      requestBody: { required: true, content: { application/octet-stream: { schema: { type: string, format: binary } } } }
      responses: { default: { description: Whatever., content: { '*/*': {} } } }
components:
  schemas:
    Order:
      type: object
      required: [id, sku, quantity]
      properties:
        id: { type: integer, readOnly: true }
        sku: { type: string, minLength: 1 }
        quantity: { type: integer, exclusiveMinimum: 0 }
        gift: { type: boolean }
    Placed:
      type: object
      required: [id]
      properties: { id: { type: integer } }
      additionalProperties: false
`;
