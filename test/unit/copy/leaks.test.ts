import { randomBytes } from "node:crypto";
import { assert, array, constantFrom, property, string } from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { BinaryRows } from "../../../engine/copy/binaryRows.ts";
import { LeakHash } from "../../../engine/copy/leakHash.ts";
import { LeakSearch } from "../../../engine/copy/leakSearch.ts";
import { longestOriginal } from "../../../engine/copy/leakText.ts";
import type { Writing } from "../../../engine/copy/leakText.ts";
import { Originals } from "../../../engine/copy/originals.ts";

const seed = randomBytes(8);
const opened: Originals[] = [];
afterEach(() => {
  for (const originals of opened.splice(0)) originals.close();
});

/** As the source hashes them. */
function searchFor(...values: string[]): LeakSearch {
  const originals = new Originals(values.length);
  opened.push(originals);
  const hash = new LeakHash(seed);
  const add = (origin: number, text: string): void => {
    const bytes = Buffer.from(text);
    hash.digest(bytes, 0, bytes.length);
    originals.add(origin, hash.high, hash.low);
  };
  for (const [origin, value] of values.entries()) {
    const trimmed = value.trim();
    if (/^[0-9 ().+/-]{7,40}$/.test(value) && !/^\d{1,3}(\.\d{1,3}){3}$/.test(value)) add(origin, value.replaceAll(/\D/g, ""));
    else add(origin, [...trimmed].slice(0, longestOriginal).join("").replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()));
  }
  originals.complete();
  return new LeakSearch({ seed, originals, probed: values.map((value) => ({ column: `column of ${value}`, originals: 1 })), unprobed: [], hasUuids: false });
}

function found(search: LeakSearch, text: string, writing: Writing = "plain"): string[] {
  const bytes = Buffer.from(`before${text}after`);
  search.read(search.addPlace("place"), bytes, 6, bytes.length - 5, writing);
  return search.originals().leaks.flatMap(({ origin }) => origin ?? []);
}

const foreignEmails = (text: string): number => {
  const search = searchFor();
  for (const part of text.split("\n")) search.read(search.addPlace(part), Buffer.from(part), 0, Buffer.byteLength(part), "plain");
  return search.emails().length;
};

describe("LeakHash", () => {
  test("is PostgreSQL's hashtextextended", () => {
    // SELECT hashtextextended(left('The quick brown fox jumps', n), 81985529216486895) FROM (VALUES (0), (3), (12), (25)) AS v(n)
    const hash = new LeakHash(Buffer.from("0123456789abcdef", "hex"));
    const bytes = Buffer.from("The quick brown fox jumps");
    const hashes = [0, 3, 12, 25].map((end) => {
      hash.digest(bytes, 0, end);
      return ((BigInt(hash.high) << 32n) | BigInt(hash.low >>> 0)).toString();
    });
    expect(hashes).toEqual(["5714803967801994901", "8002779588898525197", "1014272991485057561", "-2862620936841090002"]);
  });
});

describe("originals", () => {
  const name = "Łucja de la Cruz";

  test.each([
    ["as it is", name, "plain"],
    ["in other ASCII letters", "ŁUCJA DE LA CRUZ", "plain"],
    ["between other words", `Ask for ${name}, please`, "plain"],
    ["between other signs", `<b>${name}</b>`, "plain"],
    ["in JSON", JSON.stringify({ to: [name] }), "json"],
    ["in JSON of which no letter is ASCII", String.raw`{"to": "\u0141ucja de la Cruz"}`, "json"],
    ["in an array", `{"${name}",x}`, "array"],
  ] as const)("are found %s", (_, text, writing) => {
    expect(found(searchFor(name), text, writing)).toEqual([`column of ${name}`]);
  });

  const awkward = ["00:1a:22:33:44:55", "12:34:56:78:90:11", "(Anna) & Sons!", 'the "Red" Lion', "line one\nline two", "tab\there ok", String.raw`C:\Users\anna`, "#anna-99"];
  test.each(awkward)("with signs and line breaks are found in text, JSON and arrays: %j", (value) => {
    expect(found(searchFor(value), value)).toHaveLength(1);
    expect(found(searchFor(value), JSON.stringify({ a: { b: [value] } }), "json")).toHaveLength(1);
    expect(found(searchFor(value), `{x,"${value.replaceAll("\\", "\\\\").replaceAll('"', String.raw`\"`)}"}`, "array")).toHaveLength(1);
    if (!value.includes('"')) expect(found(searchFor(value), `he wrote ${value} to us`)).toHaveLength(1);
  });

  test("that are long are found by their beginning, with letters of any width", () => {
    const long = "Öl für die Straße — und noch viel mehr, als in vierzig Zeichen passt";
    expect(found(searchFor(long), `Notiz: ${long}`)).toHaveLength(1);
    expect(found(searchFor(long), `Notiz: ${long.slice(0, longestOriginal)} …`)).toHaveLength(1);
    expect(found(searchFor(long), `Notiz: ${long.slice(0, longestOriginal - 1)}`)).toEqual([]);
  });

  test("that are numbers are found however they are written", () => {
    const number = "+351 912 345 678";
    for (const text of ["call 351-912-345-678 now", "tel:351912345678", "(351) 912.345/678", "7 351 912 345 678"]) expect(found(searchFor(number), text)).toHaveLength(1);
    expect(found(searchFor(number), "call 351-912-345-679 now")).toEqual([]);
  });

  test("that are addresses of a network are found", () => {
    expect(found(searchFor("192.168.77.12"), "from 192.168.77.12/32 at noon")).toHaveLength(1);
  });

  test("are not found in parts and in other words", () => {
    expect(found(searchFor(name), "Łucja de la Mare, la Cruz")).toEqual([]);
    const word = constantFrom("alvera", "bonem", "cadir", "de", "la", "7", "ok");
    const search = searchFor(name, "+351 912 345 678");
    assert(
      property(array(word, { maxLength: 30 }), (words) => {
        expect(found(search, words.join(" "))).toEqual([]);
      }),
    );
  });

  test("that are too short to be recognised are passed over", () => {
    expect(found(searchFor("Berlin", "Anna B", "Alexander"), "Berlin, Anna B and Alexander")).toEqual([]);
  });

  test("stand anywhere: every run of words of every text is found in it", () => {
    const sign = constantFrom(" ", ", ", "-", ".", "@", '"', "/", "\n");
    const word = string({ unit: constantFrom("a", "B", "é", "7", "字"), minLength: 1, maxLength: 9 });
    assert(
      property(array(word, { minLength: 3, maxLength: 9 }), array(sign, { minLength: 9, maxLength: 9 }), (words, signs) => {
        const text = words.map((part, index) => part + signs[index]).join("");
        const value = [words[1], signs[1], words[2]].join("");
        const isWorthIt = Buffer.byteLength(value) >= 10 && /[^0-9\W]|[é字]/.test(value) && value.length <= longestOriginal;
        if (isWorthIt) expect(found(searchFor(value), text)).toHaveLength(1);
      }),
    );
  });

  test("are as many as there are, in one file, however many", () => {
    const originals = new Originals(10);
    opened.push(originals);
    for (let index = 0; index < 5_000; index += 1) originals.add(index % 3, index, -index);
    originals.complete();
    const positions = new Int32Array(5);
    expect(originals.select(Int32Array.of(1, 2_222_222, 4_000), Int32Array.of(-1, 99, -4_000), 3, positions)).toBe(2);
    expect(positions.subarray(0, 2)).toEqual(Int32Array.of(0, 2));
    const seen = [...originals.blocks()].flatMap(({ origin, hashes }) => Array.from(hashes).flatMap((high, at) => (at % 2 === 0 ? [`${origin} ${high}`] : [])));
    expect(seen.sort()).toEqual(Array.from({ length: 5_000 }, (_, index) => `${index % 3} ${index}`).sort());
    expect(originals.size).toBe(5_000);
  });

  test("that are numbers count only where chance does not explain them", () => {
    const phones = Array.from({ length: 2_000 }, (_, index) => String(910_000_000 + index * 37));
    const search = searchFor(...phones);
    // 40,000 orders with numbers of nine digits: with one of 500,000 being somebody's telephone, none should be.
    const orders = search.addPlace("Order.number");
    for (let index = 0; index < 40_000; index += 1) {
      const text = Buffer.from(`ORD-${500_000_000 + index * 991}`);
      search.read(orders, text, 0, text.length, "plain");
    }
    const contacts = search.addPlace("Contact.note");
    const text = Buffer.from(`call ${phones[7]}`);
    search.read(contacts, text, 0, text.length, "plain");
    expect(search.originals().leaks).toEqual([{ place: "Contact.note", origin: `column of ${phones[7]}`, rows: 1 }]);
  });
});

describe("emails", () => {
  test.each([
    ["mail me: a.b+c@example.org.", 1],
    ['{"x": "é@bücher.example"}', 1],
    ["<user-1@staging.local>", 0],
    ["@handle, a@ b, @, a@b, 5 @ 3.2, a@b..c", 0],
    ["user-1@staging.local USER@STAGING.LOCAL", 0],
    ["a@staging.local.example.org\nb@notstaging.local", 2],
  ])("of another domain in %j: %i", (text, expected) => {
    expect(foreignEmails(text)).toBe(expected);
  });

  test("a long text without end costs no more than its length", () => {
    const started = performance.now();
    expect(foreignEmails("x".repeat(2_000_000))).toBe(0);
    expect(foreignEmails("@".repeat(100_000))).toBe(0);
    expect(found(searchFor("somebody else"), "7 ".repeat(200_000))).toEqual([]);
    expect(performance.now() - started).toBeLessThan(4_000);
  });

  test("every address with a dotted domain is found between any words", () => {
    const part = string({ unit: constantFrom("a", "b", "1", "-", "_"), minLength: 1, maxLength: 8 });
    assert(
      property(part, part, (user, host) => {
        expect(foreignEmails(`so ${user}@${host}.example, yes`)).toBe(1);
      }),
    );
  });
});

describe("BinaryRows", () => {
  test("cuts rows alike, wherever the chunks are cut", () => {
    const field = (value: string | null): Buffer => {
      const bytes = Buffer.from(value ?? "");
      const length = Buffer.alloc(4);
      length.writeInt32BE(value === null ? -1 : bytes.length);
      return Buffer.concat([length, bytes]);
    };
    const rows = [["a", null, ""], ["long ".repeat(40), "é", null]];
    const stream = Buffer.concat([Buffer.alloc(19), ...rows.flatMap((row) => [Buffer.from([0, row.length]), ...row.map(field)]), Buffer.from([255, 255])]);
    for (let size = 1; size <= stream.length; size += 1) {
      const read: string[] = [];
      const binary = new BinaryRows({ value: (column, bytes, start, end) => void read.push(`${column}:${bytes.toString("utf8", start, end)}`), row: () => void read.push("|") });
      for (let at = 0; at < stream.length; at += size) binary.push(Buffer.from(stream.subarray(at, at + size)));
      expect(read).toEqual(["0:a", "2:", "|", `0:${"long ".repeat(40)}`, "1:é", "|"]);
    }
  });
});
