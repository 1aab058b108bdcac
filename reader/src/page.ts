// SPDX-License-Identifier: AGPL-3.0-or-later
// The page that is shown where nothing verified can be had: it says so, what was tried, and what
// can still be read.

import type { VerifyError } from "./errors";
import { Said } from "./said";
import type { Speech } from "./words";

const STYLE =
  ":root{color-scheme:light dark}body{font:1.125rem/1.55 Georgia,serif;max-width:34rem;margin:0 auto;padding:1.5rem 1rem 4rem;background:#fbfaf7;color:#26231f;overflow-wrap:anywhere}" +
  "h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.1rem;margin:2rem 0 .5rem}a{color:inherit}a.again{display:inline-block;min-height:44px;line-height:44px;padding:0 1.25rem;border:1px solid;text-decoration:none}" +
  "li{margin-block:.35rem}.soft{color:#655f57;font:.9rem/1.45 system-ui,sans-serif}" +
  "@media(prefers-color-scheme:dark){body{background:#161513;color:#e9e5de}.soft{color:#a9a297}}";

// Where a page's letters may go, and whom it may ask, says its own policy, which is narrower.
export const POLICY =
  "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self'; font-src 'self'; " +
  "script-src 'self'; connect-src 'self' https: http:; manifest-src 'self'; worker-src 'self'; form-action 'self' https: http:; " +
  "base-uri 'none'; frame-ancestors 'none'";

export interface Trouble {
  error: VerifyError;
  /** Host names that were asked. */
  tried: string[];
  /** What is kept on this device: path and title. */
  kept: [path: string, title: string][];
}

export function errorPage({ error, tried, kept }: Trouble, speech: Speech): string {
  const items = tried.map((host) => `<li><bdi>${escape(host)}</bdi></li>`).join("");
  const read = kept.map(([path, title]) => `<li><a href="${escape(encodeURI(path))}">${escape(title)}</a></li>`).join("");
  return (
    `<!doctype html><html lang="${speech.code}" dir="${speech.direction}"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width,initial-scale=1"><title>${say(Said.errorTitle)}</title>` +
    `<style>${STYLE}</style></head><body><main><h1>${say(Said.errorTitle)}</h1><p>${escape(speech.error(error.code))}</p>` +
    `<p>${say(Said.errorSafe)}</p><p><a class="again" href="">${say(Said.errorAgain)}</a></p>` +
    (items && `<h2>${say(Said.errorTried)}</h2><ul dir="ltr" class="soft">${items}</ul>`) +
    (read && `<h2>${say(Said.errorKept)}</h2><ul>${read}</ul>`) +
    `<p class="soft"><bdi>${escape(error.message)}</bdi></p></main></body></html>`
  );

  function say(key: Said): string {
    return escape(speech.say(key));
  }
}

export function escape(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

/** The title of a page, as its bytes have it. */
export function titleOf(html: string): string {
  const [, title = ""] = /<title>([^<]{1,300})/.exec(html) ?? [];
  return title
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Math.min(Number(code), 0x10ffff)))
    .replace(/&(lt|gt|quot|amp);/g, (_, name: string) => ({ lt: "<", gt: ">", quot: '"', amp: "&" })[name]!)
    .trim();
}
