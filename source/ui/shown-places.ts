/** The places as they are drawn. */
import { useEffect, useReducer, useRef, useSyncExternalStore } from "react";
import { useUi } from "./hooks.ts";
import type { Place } from "./navigation.ts";
import { loadScreen, type Screen, screenOf } from "./screens/index.ts";

export interface ShownPlaces {
  /** From the first place to the one that is shown. */
  places: readonly Place[];
  place: Place;
  /** Draws the place; null before the first one is loaded. */
  Screen: Screen | null;
}

/** Where the user is; while the code of that screen is being loaded, where they were before: the frame stays as it was. */
export function useShownPlaces(): ShownPlaces {
  const { navigation, workspace } = useUi();
  const places = useSyncExternalStore(navigation.subscribe, navigation.places);
  const [, drawAgain] = useReducer((times: number) => times + 1, 0);
  const place = places[places.length - 1] as Place;
  const wanted = { places, place, Screen: screenOf(place) };
  const shown = useRef<ShownPlaces>(wanted);
  if (wanted.Screen) shown.current = wanted;
  const isMissing = wanted.Screen === null;
  useEffect(() => {
    if (!isMissing) return;
    loadScreen(place).then(drawAgain, (thrown: unknown) => {
      workspace.failed(thrown);
      navigation.back();
    });
  }, [isMissing, place, workspace, navigation]);
  return shown.current;
}
