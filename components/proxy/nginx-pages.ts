import { htmlText } from "./nginx-text.ts";

/** What nginx serves out of its own configuration, so that it is there when the app and its assets are not. */
export const ownPaths = {
  styles: "/__staging/proxy.css",
  errorPage: "/__staging/error",
  maintenancePage: "/__staging/maintenance",
} as const;

/** Styles of the banner and of nginx's own error pages. No double quotes: it is one word of the configuration. */
export const proxyStyles = `
#staging-banner{position:fixed;inset:auto 0 0;z-index:2147483647;display:flex;gap:.75em;align-items:center;justify-content:center;
padding:.4rem 1rem;font:500 .8125rem/1.3 system-ui,sans-serif;color:#1c1400;background:#ffcf33;pointer-events:none;
box-shadow:0 -1px 6px rgb(0 0 0/.18)}
#staging-banner b{padding:.1em .5em;border-radius:.3em;letter-spacing:.08em;color:#ffcf33;background:#1c1400}
body{padding-bottom:2.25rem}
@media print{#staging-banner{display:none}}
.proxy-page{min-height:80vh;margin:0;display:grid;place-content:center;justify-items:center;gap:.6rem;padding:1.5rem;text-align:center;
font:1rem/1.6 system-ui,sans-serif;color:#23252b;background:#f7f6f2}
.proxy-page .status{margin:0;font-weight:600;letter-spacing:.12em;color:#6f6a5f}
.proxy-page h1{margin:0;font-size:clamp(1.5rem,5vw,2.25rem);line-height:1.2}
.proxy-page p{margin:0;max-width:34rem}
.proxy-page a{color:#0b5c56}
@media(prefers-color-scheme:dark){.proxy-page{color:#eceae4;background:#17181b}.proxy-page .status{color:#a9a497}.proxy-page a{color:#6fd3c7}}
`.trim();

/** The element put at the end of every HTML page. */
export function bannerElement(environment: string, text: string): string {
  return `<div id="staging-banner" role="note"><b>${htmlText(environment)}</b><span>${htmlText(text)}</span></div>`;
}

/** An error that nginx itself answers: what it says to people and to programs. */
export interface ProxyError {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly advice: string;
}

/** Errors nginx answers itself; the application's own pass through untouched. */
export const proxyErrors: readonly ProxyError[] = [
  { status: 403, code: "forbidden", title: "Not allowed", advice: "This page is not open to you." },
  { status: 404, code: "not_found", title: "Nothing here", advice: "Check the address, or start from the front page." },
  { status: 405, code: "method_not_allowed", title: "That does not work here", advice: "This address does not take that kind of request." },
  { status: 413, code: "body_too_large", title: "That is too much at once", advice: "Send something smaller." },
  { status: 414, code: "uri_too_long", title: "That address is too long", advice: "Shorten it and try again." },
  { status: 429, code: "too_many_requests", title: "Too many requests", advice: "Wait a moment, then try again." },
  { status: 500, code: "proxy_error", title: "The proxy failed", advice: "Its log says why. Try again in a moment." },
  { status: 502, code: "bad_gateway", title: "The application does not answer", advice: "It may be starting. Try again in a few seconds." },
  { status: 504, code: "gateway_timeout", title: "The application is too slow", advice: "It did not answer in time. Try again in a few seconds." },
];

/** The error page; `$status`, `$error_title` and `$error_advice` are filled in by nginx. */
export const errorPageHtml = page(
  "$error_title",
  `<p class="status">$status</p><h1>$error_title</h1><p>$error_advice</p><p><a href="/">Back to the front page</a></p>`,
);

/** The same for programs. */
export const errorPageJson = `{"error":{"status":$status,"code":"$error_code","message":"$error_title. $error_advice"}}`;

export const maintenanceJson = `{"error":{"status":503,"code":"maintenance","message":"Maintenance is under way. Try again later."}}`;

function page(title: string, body: string): string {
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${title}</title><link rel="icon" href="data:,"></head><body class="proxy-page">${body}</body></html>`
  );
}
