/** The other end of a VNC port: the greeting and the handshake without a password, then a screen that stays dark. */
import { type Duplex, duplexPair } from "node:stream";

const size = { width: 720, height: 400 };

/** A connection as the guest's QEMU accepts it (RFB 3.8, RFC 6143). */
export function vncConnection(name: string): Duplex {
  const [near, far] = duplexPair();
  near.on("close", () => far.destroy());
  far.on("close", () => near.destroy());
  for (const end of [near, far]) end.on("error", () => {});
  far.write("RFB 003.008\n");
  let step = 0;
  far.on("data", () => {
    step += 1;
    if (step === 1) far.write(Buffer.from([1, 1]));
    else if (step === 2) far.write(Buffer.from([0, 0, 0, 0]));
    else if (step === 3) far.write(serverInit(name));
  });
  return near;
}

function serverInit(name: string): Buffer {
  const title = Buffer.from(`QEMU (${name})`, "utf8");
  const head = Buffer.alloc(24);
  head.writeUInt16BE(size.width, 0);
  head.writeUInt16BE(size.height, 2);
  // 32 bits a point, 24 of them colour, little-endian, 255 shades at 16, 8 and 0.
  head.set([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0], 4);
  head.writeUInt32BE(title.length, 20);
  return Buffer.concat([head, title]);
}
