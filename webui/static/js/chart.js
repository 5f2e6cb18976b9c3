// Today's calls by hour, stacked by outcome.
import { texts } from "./page.js";

const COLOURS = { completed: "#40a9a0", message: "#339af0", operator: "#51cf66", operator_missed: "#fab005", abandoned: "#ff922b", failed: "#e03131" };
const AGAIN_MS = 30000;
const place = document.getElementById("chart");
const chart = window.echarts.init(place, null, { renderer: "svg" });

function option(byHour) {
  const outcomes = Object.keys(byHour);
  const font = getComputedStyle(document.body).fontFamily;
  return {
    textStyle: { fontFamily: font, fontSize: 12, color: "#1b2b34" },
    animation: false,
    color: outcomes.map((outcome) => COLOURS[outcome]),
    grid: { left: 8, right: 12, top: 64, bottom: 8, containLabel: true },
    legend: { top: 0, itemWidth: 12, itemHeight: 12, data: outcomes.map((outcome) => texts[`outcome_${outcome}`]) },
    tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" } },
    xAxis: { type: "category", data: [...Array(24).keys()].map(String), axisTick: { show: false } },
    yAxis: { type: "value", minInterval: 1, name: "" },
    series: outcomes.map((outcome) => ({ name: texts[`outcome_${outcome}`], type: "bar", stack: "calls", barMaxWidth: 22, data: byHour[outcome] })),
  };
}

async function draw() {
  const answer = await fetch(place.dataset.source, { headers: { Accept: "application/json" } });
  if (answer.ok) chart.setOption(option((await answer.json()).by_hour));
}

draw();
setInterval(() => { if (!document.hidden) draw(); }, AGAIN_MS);
new ResizeObserver(() => chart.resize()).observe(place);
