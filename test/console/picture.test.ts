import { encode } from "fast-png";
import { expect, test } from "vitest";
import { fitted, type Picture, readPicture, scaled } from "../../source/console/picture.ts";

const red = [255, 0, 0];
const blue = [0, 0, 255];
/** Four columns, two rows: red on the left, blue on the right. */
const picture: Picture = {
  width: 4,
  height: 2,
  rgb: Uint8Array.from([red, red, blue, blue, red, red, blue, blue].flat()),
};
const ppm = (head: string, points: Uint8Array) => Buffer.concat([Buffer.from(head, "latin1"), points]);

test("reads a PPM as QEMU writes it, and one with remarks", async () => {
  expect(await readPicture(ppm("P6\n4 2\n255\n", picture.rgb))).toEqual({ ...picture, rgb: Buffer.from(picture.rgb) });
  expect(await readPicture(ppm("P6 # made by hand\n4\t2\n# and\n255\n", picture.rgb))).toMatchObject({
    width: 4,
    height: 2,
  });
});

test("reads PNG: colours, with opacity, grey, sixteen bits", async () => {
  const { width, height, rgb } = picture;
  expect(await readPicture(encode({ width, height, data: rgb, channels: 3, depth: 8 }))).toEqual(picture);
  const rgba = Uint8Array.from([...red, 255, ...blue, 128]);
  expect((await readPicture(encode({ width: 2, height: 1, data: rgba, channels: 4, depth: 8 }))).rgb).toEqual(
    Uint8Array.from([...red, ...blue]),
  );
  const grey = Uint8Array.from([7, 200]);
  expect((await readPicture(encode({ width: 2, height: 1, data: grey, channels: 1, depth: 8 }))).rgb).toEqual(
    Uint8Array.from([7, 7, 7, 200, 200, 200]),
  );
  const deep = Uint16Array.from([0xff00, 0, 0x8000]);
  expect((await readPicture(encode({ width: 1, height: 1, data: deep, channels: 3, depth: 16 }))).rgb).toEqual(
    Uint8Array.from([255, 0, 128]),
  );
});

test.each([
  ["nothing at all", Buffer.alloc(0)],
  ["a page of HTML", Buffer.from("<html>")],
  ["a PPM that is cut short", ppm("P6\n4 2\n255\n", picture.rgb.subarray(1))],
  ["a PPM of a size that is none", ppm("P6\n400000 2\n255\n", picture.rgb)],
  ["a PPM with other shades", ppm("P6\n4 2\n65535\n", picture.rgb)],
  [
    "a PNG that is broken",
    Buffer.from(
      encode({ width: 4, height: 2, data: picture.rgb, channels: 3, depth: 8 }).map((byte, at) =>
        at > 40 ? byte ^ 1 : byte,
      ),
    ),
  ],
])("refuses %s", async (_, bytes) => {
  await expect(readPicture(bytes)).rejects.toMatchObject({ kind: "unparsed" });
});

test("a smaller picture has the means of what it covers", () => {
  expect(scaled(picture, 2, 1).rgb).toEqual(Uint8Array.from([...red, ...blue]));
  expect(scaled(picture, 1, 1).rgb).toEqual(Uint8Array.from([127, 0, 127]));
  expect(scaled(picture, 8, 2).rgb).toHaveLength(48);
});

test("fits a shape into bounds, both ways", () => {
  expect(fitted({ ...picture, width: 720, height: 400 }, { width: 80, height: 46 })).toEqual({ width: 80, height: 44 });
  expect(fitted({ ...picture, width: 400, height: 720 }, { width: 80, height: 46 })).toEqual({ width: 26, height: 46 });
});
