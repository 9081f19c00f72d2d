// `sessile/push`: notifications of a client that is away, in a browser.

export type { Notice, NoticeAction } from "../protocol/index.ts";
export {
  type Push,
  type PushOptions,
  type PushState,
  pushState,
  registerPush,
} from "./register.ts";
