INSERT INTO "UserStory" ("userId", "storyId") VALUES (gen_random_uuid(), gen_random_uuid());
