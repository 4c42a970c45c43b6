// The data_visualization block as plain SVG.

import { h, svg } from "./dom.js";

const WIDTH = 420;
const HEIGHT = 200;
const LEFT = 46;
const BOTTOM = 34;
const TOP = 12;
const RIGHT = 10;

const words = (value) => new Intl.NumberFormat(undefined, { maximumFractionDigits: 2, notation: "compact" }).format(value);

/** Draw a chart with its title and legend. */
export function chart(block) {
  const { chart: data, title } = block;
  const entries = data.type === "pie" ? data.segments.map((s) => s.label) : data.series.map((s) => s.name);
  const drawn = data.type === "pie" ? pie(data, title) : axes(data, title);
  const key = (name, place) => h("li", {}, h("span", { class: `key hue-${place + 1}` }), name);
  return h("figure", { class: `chart chart-${data.type}` },
    h("figcaption", {}, title), drawn, h("ul", { class: "legend" }, entries.map(key)));
}

function niceScale(values) {
  const low = Math.min(0, ...values);
  const high = Math.max(...values, low + 1e-9);
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((by) => by * power).find((by) => by >= rough);
  const from = Math.floor(low / step) * step;
  const to = Math.ceil(high / step) * step;
  const ticks = [];
  for (let tick = from; tick <= to + step / 2; tick += step) ticks.push(tick);
  return { from, to, ticks };
}

function axes(data, title) {
  const { categories, x_label: xLabel, y_label: yLabel } = data.axis_config;
  const scale = niceScale(data.series.flatMap((line) => line.data.map((point) => point.value)));
  const wide = (WIDTH - LEFT - RIGHT) / categories.length;
  const x = (place) => LEFT + wide * (place + 0.5);
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - scale.from) / (scale.to - scale.from));
  const every = Math.ceil(categories.length / 7);
  const label = `${title}: ${data.series.map((l) => `${l.name} ${l.data.map((p) => `${p.label} ${p.value}`).join(", ")}`).join("; ")}`;
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    scale.ticks.map((tick) => [
      svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }),
      svg("text", { class: "tick", x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, words(tick)),
    ]),
    categories.map((name, place) => place % every === 0
      && svg("text", { class: "tick", x: x(place), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, name)),
    xLabel && svg("text", { class: "axis", x: (WIDTH + LEFT) / 2, y: HEIGHT - 3, "text-anchor": "middle" }, xLabel),
    yLabel && svg("text", { class: "axis", x: 10, y: HEIGHT / 2, "text-anchor": "middle", transform: `rotate(-90 10 ${HEIGHT / 2 - 6})` }, yLabel),
    data.type === "bar" ? bars(data.series, x, y, wide) : lines(data, x, y, scale.from));
}

function bars(series, x, y, wide) {
  const thick = (wide * 0.72) / series.length;
  return series.map((line, row) => line.data.map((point, place) => {
    const top = Math.min(y(point.value), y(0));
    return svg("rect", {
      class: `hue-${row + 1}`, x: x(place) - wide * 0.36 + thick * row, y: top, rx: 2,
      width: Math.max(1, thick - 2), height: Math.abs(y(point.value) - y(0)),
    });
  }));
}

function lines(data, x, y, floor) {
  return data.series.map((line, row) => {
    const points = line.data.map((point, place) => `${x(place)},${y(point.value)}`);
    const last = line.data.length - 1;
    const area = `${x(0)},${y(floor)} ${points.join(" ")} ${x(last)},${y(floor)}`;
    return [
      data.type === "area" && svg("polygon", { class: `fill hue-${row + 1}`, points: area }),
      svg("polyline", { class: `stroke hue-${row + 1}`, points: points.join(" ") }),
      line.data.map((point, place) => svg("circle", { class: `hue-${row + 1}`, cx: x(place), cy: y(point.value), r: 2.6 })),
    ];
  });
}

function pie(data, title) {
  const all = data.segments.reduce((sum, segment) => sum + segment.value, 0);
  const at = (share) => [100 + 90 * Math.sin(share * 2 * Math.PI), 100 - 90 * Math.cos(share * 2 * Math.PI)].join(" ");
  let from = 0;
  const label = `${title}: ${data.segments.map((s) => `${s.label} ${s.value}`).join(", ")}`;
  return svg("svg", { viewBox: "0 0 200 200", role: "img", "aria-label": label, class: "pie" },
    data.segments.map((segment, place) => {
      const to = from + segment.value / all;
      const whole = to - from > 0.9999;
      const path = `M100 100 L${at(from)} A90 90 0 ${to - from > 0.5 ? 1 : 0} 1 ${at(whole ? to - 1e-4 : to)} Z`;
      from = to;
      return svg("path", { class: `hue-${place + 1}`, d: path });
    }));
}
