// Read marks (P9.5).

/** How far a client has read. */
export interface ReadMark {
  client: string;
  /** The serial of the last entry that it has read. */
  serial: string;
}

/** Marks how far the client has read; only forward. */
export interface ReadFrame {
  type: "read";
  serial: string;
}

/** A client has read so far. It is no place of the log. */
export interface ReadMarkFrame extends ReadMark {
  type: "read.mark";
}
