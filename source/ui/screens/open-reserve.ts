/** Opening the reservation: apart from its screen, which is loaded later than those that lead to it. */
import type { Navigation, Place } from "../navigation.ts";

/** Where the request stands that the summary shows. */
export const reserveSummary = "reserve:summary";

/** Goes to the form, on top of `under` or of what is shown: a summary that was left is not where a new one begins. */
export function openReserve(navigation: Navigation, under?: Place): void {
  navigation.forget(reserveSummary);
  if (under) navigation.jump(under, { screen: "reserve" });
  else navigation.open({ screen: "reserve" });
}
