import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { landingPage, storiesPage, storyPage } from "../pages/stories.ts";
import { notFound } from "../problem.ts";
import type { Services } from "../services.ts";
import { listStories, popularTags, storyBySlug } from "../stories.ts";

const listQuery = z.object({
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(12),
  tag: z.string().min(1).max(100).optional(),
});
const slugParameter = z.object({ slug: z.string().min(1).max(300) });

/** What anybody may read. */
export function storyRoutes(app: FastifyInstance, { database, optionalUser, contextFor }: Services): void {
  app.get("/", async (request, reply) => {
    const [user, stories] = await Promise.all([optionalUser(request), listStories(database, { page: 1, limit: 6 })]);
    return reply.type("text/html; charset=utf-8").send(landingPage(contextFor(request, user), stories));
  });

  app.get("/stories", async (request, reply) => {
    const query = listQuery.parse(request.query);
    const [user, stories, tags] = await Promise.all([optionalUser(request), listStories(database, query), popularTags(database, 8)]);
    return reply.type("text/html; charset=utf-8").send(storiesPage(contextFor(request, user), stories, tags, query.tag));
  });

  app.get("/stories/:slug", async (request, reply) => {
    const { slug } = slugParameter.parse(request.params);
    const [user, story] = await Promise.all([optionalUser(request), storyBySlug(database, slug)]);
    if (story === undefined) throw notFound();
    return reply.type("text/html; charset=utf-8").send(storyPage(contextFor(request, user), story));
  });

  app.get("/api/stories", async (request) => listStories(database, listQuery.parse(request.query)));

  app.get("/api/stories/:slug", async (request) => {
    const { slug } = slugParameter.parse(request.params);
    const story = await storyBySlug(database, slug);
    if (story === undefined) throw notFound();
    return story;
  });
}
