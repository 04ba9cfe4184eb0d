import type { Story, StoryPage, StorySummary } from "../stories.ts";
import { cover } from "./cover.ts";
import { count, day, price, readingTime } from "./format.ts";
import { html, type Html } from "./html.ts";
import { page, type PageContext } from "./layout.ts";

export function landingPage(context: PageContext, stories: StoryPage): string {
  const [first] = stories.data;
  return page(
    context,
    "",
    html`<section class="hero">
<div class="wide hero-grid">
<div>
<h1>Every child has a story worth reading.</h1>
<p class="lead">Young writers all over the world send us theirs. Read them free or for a few euros; what comes in pays for the next book.</p>
<p class="actions"><a class="button" href="/stories">Read ${count(stories.total, "story", "stories")}</a>
${context.user === undefined ? html`<a class="button quiet" href="/sign-in">Sign in</a>` : html`<a class="button quiet" href="/dashboard">Your dashboard</a>`}</p>
</div>
${first === undefined ? "" : html`<div class="hero-cover">${cover(first.slug)}</div>`}
</div>
</section>
<section class="wide">
<div class="section-head"><h2>New this season</h2><a href="/stories">All stories</a></div>
${storyGrid(stories.data)}
</section>`,
  );
}

export function storiesPage(context: PageContext, stories: StoryPage, tags: readonly string[], tag: string | undefined): string {
  const filters = [undefined, ...tags].map((each) => {
    const href = each === undefined ? "/stories" : `/stories?tag=${encodeURIComponent(each)}`;
    const text = each ?? "All";
    return each === tag ? html`<a class="chip" href="${href}" aria-current="true">${text}</a>` : html`<a class="chip" href="${href}">${text}</a>`;
  });
  return page(
    context,
    "Stories",
    html`<div class="wide">
<div class="page-head"><h1>Stories</h1><p class="muted">${count(stories.total, "story", "stories")}${tag === undefined ? "" : html` tagged “${tag}”`}</p></div>
<nav class="chips" aria-label="Tags">${filters}</nav>
${stories.data.length === 0 ? html`<p class="empty">No stories here yet.</p>` : storyGrid(stories.data)}
${pagination(stories, tag)}
</div>`,
  );
}

export function storyPage(context: PageContext, story: Story): string {
  const paragraphs = story.body.split(/\n+/).filter((paragraph) => paragraph.trim() !== "");
  return page(
    context,
    story.title,
    html`<article class="story">
<div class="story-cover">${cover(story.slug)}</div>
<header>
<h1 dir="auto">${story.title}</h1>
<p class="muted">${story.author === null ? "Author unknown" : html`By <bdi>${story.author}</bdi>`} · ${day(story.publishedAt)} · ${readingTime(story.words)}</p>
${tagList(story.tags)}
</header>
<div class="prose">${paragraphs.length === 0 ? html`<p class="empty">This story has no text yet.</p>` : paragraphs.map((paragraph) => html`<p dir="auto">${paragraph}</p>`)}</div>
<aside class="panel order-box">
<div><h2>The printed book</h2><p class="muted">${price(story.priceCents)} a copy, shipped by a volunteer near you.</p></div>
${context.user === undefined ? html`<a class="button" href="/sign-in?next=${encodeURIComponent(`/stories/${story.slug}`)}">Sign in to order</a>` : orderForm(story)}
</aside>
</article>`,
  );
}

export function storyGrid(stories: readonly StorySummary[]): Html {
  return html`<ul class="grid">${stories.map(
    (story) => html`<li><a class="card" href="/stories/${story.slug}">
${cover(story.slug)}
<div class="card-body">
<h3 dir="auto">${story.title}</h3>
<p class="excerpt" dir="auto">${story.excerpt === "" ? "No text yet." : story.excerpt}</p>
<p class="card-foot"><bdi>${story.author ?? "Author unknown"}</bdi><span>${readingTime(story.words)}</span><strong>${price(story.priceCents)}</strong></p>
</div></a></li>`,
  )}</ul>`;
}

function orderForm(story: Story): Html {
  return html`<form class="order-form" method="post" action="/api/orders">
<input type="hidden" name="storySlug" value="${story.slug}">
<label>Copies <input type="number" name="copies" value="1" min="1" max="20" inputmode="numeric" required></label>
<button class="button" type="submit">Order</button>
</form>`;
}

function tagList(tags: readonly string[]): Html | "" {
  if (tags.length === 0) return "";
  return html`<p class="chips">${tags.map((tag) => html`<a class="chip" href="/stories?tag=${encodeURIComponent(tag)}">${tag}</a>`)}</p>`;
}

function pagination({ page: current, pages }: StoryPage, tag: string | undefined): Html | "" {
  if (pages <= 1) return "";
  const href = (target: number): string => `/stories?page=${target}${tag === undefined ? "" : `&tag=${encodeURIComponent(tag)}`}`;
  return html`<nav class="pagination" aria-label="Pages">
${current > 1 && html`<a class="button quiet small" rel="prev" href="${href(current - 1)}">Newer</a>`}
<span class="muted">Page ${current} of ${pages}</span>
${current < pages && html`<a class="button quiet small" rel="next" href="${href(current + 1)}">Older</a>`}
</nav>`;
}
