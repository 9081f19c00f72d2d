import type { At, StatePath } from "sessile";
import { useSharedState } from "sessile/react";
import type { Trip } from "../trip.ts";

/** A part of the trip; its component renders again only when that part has changed. */
export function useTrip<const P extends StatePath>(path: P): At<Trip, P> {
  return useSharedState<Trip, P>(path);
}
