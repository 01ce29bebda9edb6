/** Which view draws which place. */
import type { ReactNode } from "react";
import type { Place } from "../navigation.ts";
import { HomeScreen } from "./home.tsx";
import { LogScreen } from "./log.tsx";
import { SessionScreen, SessionsScreen } from "./sessions.tsx";
import { AddSiteScreen, SitesScreen } from "./sites.tsx";

const screens: Partial<Record<Place["screen"], (props: { place: Place }) => ReactNode>> = {
  home: HomeScreen,
  sites: SitesScreen,
  "add-site": AddSiteScreen,
  sessions: SessionsScreen,
  session: SessionScreen,
  log: LogScreen,
};

export function screenOf(place: Place): (props: { place: Place }) => ReactNode {
  return screens[place.screen] ?? HomeScreen;
}
