/**
 * Works through tasks in their order, as many at a time as there are workers; a failure keeps the others from taking another.
 * @throws what the first failed task threw, once all that were begun have ended.
 */
export async function workThrough<Task, Worker>(
  tasks: readonly Task[],
  workers: readonly Worker[],
  work: (task: Task, worker: Worker) => Promise<void>,
): Promise<void> {
  const waiting = [...tasks];
  const results = await Promise.allSettled(
    workers.map(async (worker) => {
      try {
        for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await work(task, worker);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }),
  );
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
