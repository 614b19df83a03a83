const PRIVATE_IPV4 = /^(127|10|192\.168|172\.(1[6-9]|2\d|3[01]))\./;

/**
 * Whether a URL leads to a machine of one's own: loopback, a private IPv4 address, or a name without a dot such as a
 * container's. What a stranger's node says about itself is not enough to give its contracts development keys.
 */
export function isOwnHost(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  if (hostname === "[::1]" || hostname.endsWith(".localhost")) return true;
  return PRIVATE_IPV4.test(hostname) ? isIpv4(hostname) : !hostname.includes(".") && !hostname.startsWith("[");
}

function isIpv4(hostname: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
}
