// Annotations of messages (P9.3). Their sums are in `message.ts`.

/** How annotations of a kind are counted. */
export type Method = "distinct" | "unique" | "multiple";

/** `TOPIC:METHOD`. */
export type AnnotationKind = `${string}:${Method}`;

/** Annotates a message. */
export interface AnnotateFrame {
  type: "annotate";
  serial: string;
  kind: AnnotationKind;
  name?: string;
  /** Only of a kind of `multiple`; 1 without. */
  count?: number;
  data?: unknown;
  id?: string;
}

/** Takes the client's own annotations back: of one name, or of the whole kind. */
export interface UnannotateFrame {
  type: "unannotate";
  serial: string;
  kind: AnnotationKind;
  name?: string;
  id?: string;
}

/** One annotation, as HTTP lists them. */
export interface Annotation {
  serial: string;
  kind: AnnotationKind;
  name: string;
  client: string;
  count: number;
  data?: unknown;
  at: number;
}

/** A page of annotations. */
export interface AnnotationPage {
  annotations: Annotation[];
  hasMore: boolean;
  /** The `cursor` of the next page; there if `hasMore`. */
  next?: string;
}
