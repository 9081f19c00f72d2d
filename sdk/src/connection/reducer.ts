// How a connection decides.

/** The times that a connection keeps, in milliseconds. */
export interface Timing {
  /** The first pause before trying again is 0 to this; it doubles with each failure. */
  backoffMs: number;
  /** No pause is longer. */
  backoffMostMs: number;
  /** How long connecting may take, from asking for a token to `attached`. */
  connectMs: number;
  /** How often the session is asked whether it is there; also keeps presence and leases. */
  pingMs: number;
  /** How long it may take to answer. */
  pongMs: number;
  /** How long before its expiry a token is replaced (P2.6). */
  renewMs: number;
}
