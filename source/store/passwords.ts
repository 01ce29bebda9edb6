/** Passwords as the screen takes them: typed twice, judged while they are typed. */
import { passwordRefusal, passwordStrength } from "../tools/password.ts";

/** How good a password is, in a few words. */
export function strengthText(password: string): string {
  const { level, hint } = passwordStrength(password);
  return hint ? `${level}: ${hint}` : level;
}

/** Why a password and its repetition can't be taken, or null. A weak one is the user's to take. */
export function passwordError(password: string, repeated: string): string | null {
  return passwordRefusal(password) ?? (password === repeated ? null : "the two are not the same");
}
