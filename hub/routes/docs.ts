import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";

/** The page's own scripts and styles, and the hub itself to try things on; nothing from elsewhere. */
const PAGE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "connect-src 'self'; base-uri 'self'; frame-ancestors 'none'";

/** The OpenAPI document of the operations, and a page to browse it at `/api/hub/docs`. */
export async function registerDocs(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Payment hub",
        version: "1",
        description:
          "Amounts are decimal strings in base units. Errors are `{ code, message, details }`; codes are listed in " +
          "docs/errors.md. The same operations are served by the WebSocket at /api/hub/subscribe.",
      },
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
    },
  });
  await app.register(swaggerUi, { routePrefix: "/api/hub/docs", staticCSP: PAGE_CSP });
}
