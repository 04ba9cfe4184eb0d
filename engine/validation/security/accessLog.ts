import { lineOfOwnRequest, stagingLogLine } from "../accessLog.ts";
import type { ValidationCheck } from "../check.ts";
import { failed, passed, skipped } from "../outcome.ts";

export const accessLogFormat: ValidationCheck = {
  id: "security.access-log",
  category: "security",
  title: "The access log has document 004's format",
  severity: "error",
  quick: false,
  run: async (context) => {
    const { accessLog } = context.target;
    if (accessLog === undefined) return skipped("this platform keeps the proxy's log to itself", "Read it with `understudy logs`.");
    const line = await lineOfOwnRequest(context, accessLog, "/");
    if (line === undefined) return failed(`a request of our own never appeared in ${accessLog.name}`, "See access_log of nginx.conf, and whether its disk is full.");
    if (!stagingLogLine.test(line)) return failed(`a line is of another format: ${line.slice(0, 300)}`, "Set log_format staging as document 004 has it.");
    return passed(`our own request stands there as asked: ${line.slice(0, 200)}`);
  },
};
