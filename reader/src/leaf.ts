// SPDX-License-Identifier: AGPL-3.0-or-later
// A verified page, taken apart so that the single file can show it.
//
// What always holds: nothing in it runs or loads anything; links stay within the single file or
// leave it without a referrer; pictures are named, and shown only once their bytes are verified.

export const PICTURE = "data-verified";
const FORBIDDEN = "script,meta,link,base,iframe,frame,object,embed,form,template,noscript,svg use";
const WIDEST = 800;

export interface Leaf {
  title: string;
  lang: string;
  dir: string;
  kind: string;
  style: string;
  nodes: Node[];
  /** Where a page that has moved leads; empty: nowhere. */
  moved: string;
}

/** `address`: the paper's own, whose links are links into it. */
export function leaf(html: string, address: string): Leaf {
  const page = new DOMParser().parseFromString(html, "text/html");
  const refresh = page.querySelector('meta[http-equiv="refresh" i]')?.getAttribute("content") ?? "";
  const style = [...page.querySelectorAll("style")].map((element) => element.textContent).join("\n");
  const leaf = {
    title: page.title,
    lang: page.documentElement.lang,
    dir: page.documentElement.dir,
    kind: page.body.className,
    style,
    moved: /url=(\/\S*)/.exec(refresh)?.[1] ?? "",
  };
  return { ...leaf, nodes: clean(page.body, address) };
}

/** The children of an element, made harmless. */
export function clean(body: Element, address: string): Node[] {
  for (const element of body.querySelectorAll(`style,${FORBIDDEN}`)) element.remove();
  for (const element of body.querySelectorAll("*")) {
    for (const { name, value } of [...element.attributes]) {
      const runs = name.startsWith("on") || /^\s*(javascript|data|vbscript):/i.test(value);
      if (runs || name === "style" || name === "target" || name === "ping") element.removeAttribute(name);
    }
  }
  for (const link of body.querySelectorAll<HTMLAnchorElement>("a[href]")) lead(link, address);
  for (const picture of body.querySelectorAll("picture,img,video,audio")) name(picture);
  return [...body.childNodes].map((node) => document.importNode(node, true));
}

/** Where a link leads within the paper, `/en/`; undefined: elsewhere. */
export function within(href: string, address: string): string | undefined {
  const own = address.replace(/\/$/, "");
  const path = own && (href === own || href.startsWith(`${own}/`)) ? href.slice(own.length) || "/" : href;
  return /^\/(?!\/)/.test(path) ? path : undefined;
}

function lead(link: HTMLAnchorElement, address: string): void {
  const href = link.getAttribute("href")!;
  const path = within(href, address);
  if (path !== undefined) return link.setAttribute("href", `#${path}`);
  if (href.startsWith("#")) return;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
}

/** Puts the addresses that an element may show, best first, in the place of those that it would
 * load by itself. */
function name(element: Element): void {
  if (element.matches("picture img, video *, audio *") && !element.matches("picture")) return;
  const shown = element.matches("picture") ? element.querySelector("img") : element;
  if (!shown) return element.remove();
  const candidates = element.matches("picture") ? fromPicture(element) : fromElement(element);
  for (const part of [element, ...element.querySelectorAll("*")]) {
    for (const attribute of ["src", "srcset", "sizes", "poster", "loading"]) part.removeAttribute(attribute);
  }
  for (const source of element.querySelectorAll("source")) source.remove();
  shown.setAttribute(PICTURE, candidates.filter((path) => within(path, "") !== undefined).join(" "));
}

function fromPicture(picture: Element): string[] {
  const sets = [...picture.querySelectorAll("source[srcset]")].filter((source) => known(source.getAttribute("type") ?? ""));
  const modern = sets.flatMap((source) => sized(source.getAttribute("srcset")!));
  return [...modern, ...fromElement(picture.querySelector("img")!)];
}

function fromElement(element: Element): string[] {
  const set = element.getAttribute("srcset");
  const sources = [element, ...element.querySelectorAll("source")].map((part) => part.getAttribute("src") ?? "");
  return [...(set ? sized(set) : []), ...sources].filter(Boolean);
}

function known(type: string): boolean {
  return ["image/webp", "image/avif", "image/png", "image/jpeg", "image/gif"].includes(type);
}

/** Of a `srcset`, the widest that is not too wide first, then the others. */
function sized(set: string): string[] {
  const all = set.split(",").map((item) => item.trim().split(/\s+/));
  const files = all.map(([path = "", width = "0w"]) => ({ path, width: parseInt(width, 10) || 0 }));
  files.sort((a, b) => a.width - b.width);
  const best = files.filter(({ width }) => width <= WIDEST).at(-1) ?? files[0]!;
  return [best, ...files.filter((file) => file !== best)].map(({ path }) => path);
}
