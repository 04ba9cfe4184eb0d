import { stringify } from "yaml";

export interface AlertmanagerConfInput {
  /** Address that gets every alert as JSON. Without one they stay here, to be seen in Alertmanager's page and API. */
  readonly webhookUrl?: string;
}

/** Renders `alertmanager.yml` for Alertmanager 0.25 or newer. Nothing leaves the machine unless a webhook is given. */
export function renderAlertmanagerConf({ webhookUrl }: AlertmanagerConfInput = {}): string {
  return "# Written by Understudy; changes here are overwritten by the next `up`.\n" + stringify({
    route: {
      receiver: "staging",
      group_by: ["alertname", "component"],
      group_wait: "10s",
      group_interval: "1m",
      repeat_interval: "4h",
    },
    receivers: [
      webhookUrl === undefined
        ? { name: "staging" }
        : { name: "staging", webhook_configs: [{ url: webhookUrl, send_resolved: true }] },
    ],
    // What is down explains what is slow or full: one alert tells enough.
    inhibit_rules: [
      { source_matchers: ["severity = critical"], target_matchers: ["severity = warning"], equal: ["component"] },
    ],
  });
}
