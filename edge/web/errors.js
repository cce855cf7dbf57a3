// What can go wrong, as values a program can act on.

/** A refusal by the server, or by the client in the server's stead. */
export class RollcallError extends Error {
  /**
   * @param {object} error as on the wire: code, message, field?, retryable,
   *   retry_after_ms?
   */
  constructor(error) {
    super(error.message || error.code);
    this.name = "RollcallError";
    this.code = error.code ?? "internal";
    this.field = error.field;
    this.retryable = error.retryable ?? false;
    this.retryAfterMs = error.retry_after_ms;
    /** The word for a final close (`kicked`, `replaced`, …), if that is it. */
    this.reason = error.reason;
    /** True when the connection went before the answer came. */
    this.lost = error.lost ?? false;
  }
}

/** The connection is gone, or was never there. */
export function connectionLost() {
  return new RollcallError({
    code: "unavailable",
    message: "the connection was lost before an answer came",
    retryable: true,
    lost: true,
  });
}

// Close codes after which coming back would end the same way.
const final_closes = new Map([
  [3500, ["unauthenticated", "unauthenticated"]],
  [3501, ["bad_request", "bad_protocol"]],
  [3502, ["forbidden", "kicked"]],
  [3503, ["banned", "banned"]],
  [3504, ["conflict", "replaced"]],
  [3505, ["unauthenticated", "revoked"]],
  [3506, ["rate_limited", "limit"]],
]);

/** The close that a new token cures. */
export const token_expired_close = 3004;

/** The error a final close stands for, or null if one may come back. */
export function finalClose(code, bye) {
  const known = final_closes.get(code);
  if (!known && bye?.reconnect !== false) return null;
  const [name, reason] = known ?? ["unavailable", bye.reason];
  const message = `the server closed the connection for good: ${reason}`;
  return new RollcallError({ code: name, message, reason });
}
