import type { FastifyInstance } from "fastify";

export interface RootPageFacts {
  readonly chainId: number;
  readonly channelManager: string;
  readonly hub: string;
}

/** What runs here, for a person who opens the address. No script, nothing from elsewhere. */
export function registerRootPage(app: FastifyInstance, { chainId, channelManager, hub }: RootPageFacts): void {
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Payment hub</title>
<style>
body { font: 16px/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff; }
dt { color: #555; } dd { margin: 0 0 .8rem; } code { overflow-wrap: anywhere; }
a { color: #0b57d0; } @media (prefers-color-scheme: dark) { body { color: #eee; background: #161616; } dt { color: #aaa; } a { color: #8ab4f8; } }
</style>
</head>
<body>
<main>
<h1>A payment hub runs here</h1>
<p>It forwards payments between channels of one ChannelManager contract. Money in a channel is its user's, whatever the hub does.</p>
<dl>
<dt>Chain</dt><dd><code>${chainId}</code></dd>
<dt>ChannelManager</dt><dd><code>${channelManager}</code></dd>
<dt>Hub</dt><dd><code>${hub}</code></dd>
</dl>
<p><a href="/api/hub/docs">API documentation</a> · <a href="/api/hub/config">configuration</a> · <a href="/api/hub/docs/json">OpenAPI document</a></p>
</main>
</body>
</html>
`;
  app.get("/", { schema: { hide: true } }, (_request, reply) => {
    return reply
      .header("content-type", "text/html; charset=utf-8")
      .header(
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
      )
      .serializer((text: string) => text)
      .send(page);
  });
}
