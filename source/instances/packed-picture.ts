/** Pictures as hosts send them: packed and in base64, because a stream of text carries them. */
import { gunzipSync } from "node:zlib";
import { VirtuError } from "../errors.ts";

/** A picture that is larger than this is none: no screen has so many points. */
const largest = 256 * 1024 * 1024;

/** The picture; `what` and `where` are for the error when there is none in it. */
export function unpackPicture(text: string, what: string, where: string): Uint8Array {
  try {
    return gunzipSync(Buffer.from(text, "base64"), { maxOutputLength: largest });
  } catch (thrown) {
    throw new VirtuError({ kind: "unparsed", what, where, why: "what came is no picture" }, { cause: thrown });
  }
}
