import { card, phone } from "./digitMasks.ts";
import { address, city, company, email, firstName, fullName, lastName } from "./identityMasks.ts";
import { hash, ip, redact, text, token, url, uuid } from "./opaqueMasks.ts";
import type { PlainMask } from "./rule.ts";
import type { Transformer } from "./transformer.ts";

/** Every transformer that needs nothing but the value. */
export const transformers: Readonly<Record<PlainMask, Transformer>> = {
  email,
  "first-name": firstName,
  "last-name": lastName,
  "full-name": fullName,
  phone,
  address,
  city,
  company,
  url,
  ip,
  uuid,
  token,
  card,
  text,
  redact,
  hash,
};
