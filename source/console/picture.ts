/** Pictures of a guest's screen as points: binary PPM as QEMU writes it, PNG as newer ones do. */
import { VirtuError } from "../errors.ts";

/** Red, green and blue of each point, row by row. */
export interface Picture {
  width: number;
  height: number;
  rgb: Uint8Array;
}

/** No screen is larger; a header that claims more is no header. */
const largest = 16_384;

/** Reads a picture; rejects with `unparsed` for what is none. */
export async function readPicture(bytes: Uint8Array): Promise<Picture> {
  if (bytes[0] === 0x50 && bytes[1] === 0x36) return readPpm(bytes);
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return readPng(bytes);
  throw noPicture("it is neither PPM nor PNG");
}

function noPicture(why: string): VirtuError {
  return new VirtuError({ kind: "unparsed", what: "The picture of the screen can't be read", why });
}

/** `P6`, width, height, 255, one blank, then the points (Netpbm's ppm(5)). */
function readPpm(bytes: Uint8Array): Picture {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 200)).toString("latin1");
  const found = /^P6(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)\s/.exec(head);
  if (!found) throw noPicture("its header is not that of a PPM");
  const [all, width, height, depth] = [found[0], Number(found[1]), Number(found[2]), Number(found[3])];
  if (width < 1 || height < 1 || width > largest || height > largest) throw noPicture("its size makes no sense");
  if (depth !== 255) throw noPicture(`it has ${depth} shades, not 255`);
  const rgb = bytes.subarray(all.length, all.length + width * height * 3);
  if (rgb.length < width * height * 3) throw noPicture("it is cut short");
  return { width, height, rgb };
}

async function readPng(bytes: Uint8Array): Promise<Picture> {
  const { decode } = await import("fast-png");
  let image: ReturnType<typeof decode>;
  try {
    image = decode(bytes, { checkCrc: true });
  } catch (thrown) {
    throw noPicture(thrown instanceof Error ? thrown.message : String(thrown));
  }
  const { width, height, channels, depth, palette } = image;
  if (width > largest || height > largest) throw noPicture("its size makes no sense");
  if (depth !== 8 && depth !== 16) throw noPicture(`it has ${depth} bits a point`);
  const shift = depth === 16 ? 8 : 0;
  const rgb = new Uint8Array(width * height * 3);
  for (let point = 0; point < width * height; point += 1) {
    const at = point * channels;
    const value = (channel: number) => (image.data[at + channel] ?? 0) >> shift;
    // One channel is grey or a number in the palette, two are grey and opacity.
    const colour = palette?.[value(0)];
    const isGrey = channels < 3;
    rgb[point * 3] = colour?.[0] ?? value(0);
    rgb[point * 3 + 1] = colour?.[1] ?? value(isGrey ? 0 : 1);
    rgb[point * 3 + 2] = colour?.[2] ?? value(isGrey ? 0 : 2);
  }
  return { width, height, rgb };
}

/** The largest size of the picture's shape within these bounds; `aspect`: how much higher than wide a point of it is shown. */
export function fitted({ width, height }: Picture, most: { width: number; height: number }, aspect = 1) {
  const factor = Math.min(most.width / width, most.height / (height * aspect));
  return {
    width: Math.max(1, Math.min(most.width, Math.round(width * factor))),
    height: Math.max(1, Math.min(most.height, Math.round(height * aspect * factor))),
  };
}

/** The picture in another size: each point is the mean of those that it covers. */
export function scaled(picture: Picture, width: number, height: number): Picture {
  if (width === picture.width && height === picture.height) return picture;
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    const top = Math.floor((y * picture.height) / height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * picture.height) / height));
    for (let x = 0; x < width; x += 1) {
      const left = Math.floor((x * picture.width) / width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * picture.width) / width));
      let [red, green, blue] = [0, 0, 0];
      for (let row = top; row < bottom; row += 1) {
        for (let at = (row * picture.width + left) * 3; at < (row * picture.width + right) * 3; at += 3) {
          red += picture.rgb[at] ?? 0;
          green += picture.rgb[at + 1] ?? 0;
          blue += picture.rgb[at + 2] ?? 0;
        }
      }
      const count = (bottom - top) * (right - left);
      rgb.set([red / count, green / count, blue / count], (y * width + x) * 3);
    }
  }
  return { width, height, rgb };
}
