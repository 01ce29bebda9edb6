import { describe, expect, test } from "vitest";
import { guestRates, HttpAnswerReader, hostRates, parseRrdUpdates, rrdRequest } from "../../source/tools/xe-rrd.ts";
import { fixture } from "../instances/fake-pool.ts";

const xml = fixture("xenserver", "rrd_updates.xml");
const web = "5b1a7a52-6a0c-49b4-8f2b-9d3e61c7aa02";

function updates(text = xml) {
  const parsed = parseRrdUpdates(text);
  if (!parsed) throw new Error("not read");
  return parsed;
}
const rates = (seconds: number, text = xml) => {
  const { guests, times } = updates(text);
  return guestRates(guests.get(web) ?? new Map(), times, seconds);
};

describe("the question", () => {
  test("asks for the last seconds by the host's clock, never for a coarser record", () => {
    expect(rrdRequest(0)).toBe(
      "GET /rrd_updates?start=-20&interval=5&cf=AVERAGE&host=true HTTP/1.0\r\nUser-Agent: virtu\r\nConnection: close\r\n\r\n",
    );
    expect(rrdRequest(61.2)).toContain("start=-62&");
    expect(rrdRequest(86_400)).toContain("start=-120&");
  });
});

describe("an answer of HTTP", () => {
  const head = "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\nContent-Type: text/xml\r\n\r\n";
  const push = (...chunks: string[]) => {
    const reader = new HttpAnswerReader();
    return { reader, answers: chunks.map((chunk) => reader.push(Buffer.from(chunk))) };
  };

  test("is whole when its length says so, however it is cut", () => {
    const { answers } = push(head.slice(0, 40), `${head.slice(40)}12`, "3é");
    expect(answers).toEqual([null, null, { status: 200, reason: "OK", body: "123é" }]);
    expect(push(`${head}12345 and more`).answers[0]?.body).toBe("12345");
  });

  test("goes on to the end where it names no length; one that breaks off is none", () => {
    const { reader, answers } = push("HTTP/1.0 500 Internal Server Error\r\n\r\n<html>", "</html>");
    expect(answers).toEqual([null, null]);
    expect(reader.end()).toEqual({ status: 500, reason: "Internal Server Error", body: "<html></html>" });
    expect(push(`${head}123`).reader.end()).toBeNull();
    expect(push("SSH-2.0-OpenSSH_7.4\r\n\r\n").reader.end()).toBeNull();
  });

  test("is given up when it grows beyond every measure, with a head or without", () => {
    expect(push("x".repeat(65_000)).reader.tooLong).toBe(false);
    expect(push("x".repeat(65_000), "x".repeat(1000)).reader.tooLong).toBe(true);
    const mebibyte = "x".repeat(1 << 20);
    const long = push("HTTP/1.1 200 OK\r\n\r\n", ...Array.from({ length: 16 }, () => mebibyte));
    expect(long.answers.every((answer) => answer === null)).toBe(true);
    expect(long.reader.tooLong).toBe(true);
  });
});

describe("the records", () => {
  test("are read by their legend: guests, domain 0 among them, and the host", () => {
    const { times, guests, host } = updates();
    expect(times).toEqual([1763984700, 1763984695, 1763984690]);
    expect([...guests.keys()]).toHaveLength(2);
    expect(host?.uuid).toBe("c1f4b1a8-2f0e-4a3d-8c55-1d9b7e6a4c10");
    expect(guests.get(web)?.has("vif_0_rx_errors")).toBe(false);
  });

  test("give what a guest does now, all disks and cards together", () => {
    expect(rates(0)).toEqual({
      // The second vCPU by the row before, the third not at all.
      cpu: 0.5 + 0.9,
      memoryMiB: 1024 - 256,
      ...{ diskRead: 8192 + 100, diskWrite: 65_536, netIn: 4096 + 1000, netOut: 512.25 },
    });
  });

  test("give the mean of the time since the look before", () => {
    expect(rates(10)).toMatchObject({ cpu: 0.5 + 0.9, diskRead: 6144 + 100, netIn: 3072 + 500, netOut: 256.125 });
    expect(rates(15)).toMatchObject({ cpu: 0.5 + 0.7, diskWrite: (65_536 + 1.5) / 3 });
  });

  test("do not depend on the order of the rows", () => {
    const [head = "", ...rows] = xml.replace("</data></xport>", "").split("<row>");
    expect(rates(0, `${[head, ...rows.reverse()].join("<row>")}</data></xport>`)).toEqual(rates(0));
  });

  test("tell nothing that they have not: no guest agent, no disk", () => {
    const bare = xml.replaceAll("memory_internal_free", "memory_other").replaceAll("vbd_xvd", "sbd_xvd");
    expect(rates(0, bare)).toMatchObject({ memoryMiB: null, diskRead: null, diskWrite: null, netOut: 512.25 });
    const { host, times } = updates(xml.replaceAll(/cpu_avg/g, "cpu_all"));
    expect(hostRates(host?.columns ?? new Map(), times, 0)).toBeNull();
  });

  test("count the host's CPUs", () => {
    const { host, times } = updates();
    expect(hostRates(host?.columns ?? new Map(), times, 0)).toEqual({ cpus: 4, busy: 1 });
    expect(hostRates(host?.columns ?? new Map(), times, 15)).toEqual({ cpus: 4, busy: 1 });
    expect(hostRates(host?.columns ?? new Map(), times, 10)).toEqual({ cpus: 4, busy: 0.75 });
  });

  test.each([
    ["nothing", ""],
    ["a page that says no", "<html><body><h1>HTTP 500 internal server error</h1></body></html>"],
    ["one that broke off", xml.slice(0, -20)],
    ["a row with a hole", xml.replace("<v>0.25</v>", "")],
    ["no row", xml.replace(/<row>.*<\/row>/, "")],
    ["JSON", '{"meta":{"start":1,"legend":["AVERAGE:vm:x:cpu0"]},"data":[]}'],
  ])("are none: %s", (_what, text) => {
    expect(parseRrdUpdates(text)).toBeNull();
  });
});
