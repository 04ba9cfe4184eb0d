import {
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import { DashboardBuilder, ThresholdsConfigBuilder, ThresholdsMode } from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** The datasource that the stack provisions. */
export const datasource = { type: "prometheus", uid: "prometheus" } as const;

/** An empty dashboard of ours. */
export function dashboard(workload: string, uid: string, title: string, description: string): DashboardBuilder {
  return new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["understudy", workload])
    .readonly()
    .refresh("10s")
    .time({ from: "now-30m", to: "now" })
    .timezone("browser");
}

/** Queries by what the legend calls them. */
export type Queries = Readonly<Record<string, string>>;

/** `[from, colour]`, the first from minus infinity. */
export type Steps = readonly (readonly [number | null, "green" | "orange" | "red" | "blue" | "text"])[];

export interface StatOptions {
  readonly title: string;
  readonly description: string;
  readonly expr: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly steps?: Steps;
  /** Of 24; default 4. */
  readonly width?: number;
}

/** One figure, coloured by what it means. */
export function stat(options: StatOptions): StatBuilder {
  const panel = new StatBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(datasource)
    .span(options.width ?? 4)
    .height(4)
    .unit(options.unit ?? "short")
    .noValue("no data")
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .thresholds(thresholds(options.steps ?? [[null, "text"]]))
    .withTarget(query("A", options.expr, "", true));
  return options.decimals === undefined ? panel : panel.decimals(options.decimals);
}

export interface TimelineOptions {
  readonly title: string;
  readonly description: string;
  readonly queries: Queries;
  readonly unit?: string;
  /** Series on top of each other; default false. */
  readonly stacked?: boolean;
  /** Of 24; default 8. */
  readonly width?: number;
  /** Lowest value of the axis; default 0. */
  readonly min?: number;
}

/** Series over time. */
export function timeline(options: TimelineOptions): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(datasource)
    .span(options.width ?? 8)
    .height(8)
    .unit(options.unit ?? "short")
    .min(options.min ?? 0)
    .lineWidth(2)
    .fillOpacity(options.stacked === true ? 30 : 8)
    .stacking(new StackingConfigBuilder().mode(options.stacked === true ? StackingMode.Normal : StackingMode.None))
    .legend(new VizLegendOptionsBuilder().showLegend(true).displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi));
  Object.entries(options.queries).forEach(([legend, expr], index) => panel.withTarget(query(String.fromCodePoint(65 + index), expr, legend, false)));
  return panel;
}

function query(refId: string, expr: string, legend: string, instant: boolean): DataqueryBuilder {
  const builder = new DataqueryBuilder().refId(refId).datasource(datasource).expr(expr).legendFormat(legend);
  return instant ? builder.instant() : builder.range();
}

function thresholds(steps: Steps): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps.map(([value, color]) => ({ value, color })));
}
