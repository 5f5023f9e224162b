"use strict";
// Draws every <figure data-chart> from the JSON inside it, in the colours of the theme in use.
(() => {
  const drawn = new Map();

  function readColour(name) {
    const probe = document.createElement("span");
    probe.style.color = name;
    document.body.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  }
  function withColours(value) {
    if (typeof value === "string") return value.startsWith("var(--") ? readColour(value) : value;
    if (Array.isArray(value)) return value.map(withColours);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withColours(inner)]));
    }
    return value;
  }
  function makeTheme() {
    const ink = readColour("var(--ink)"), soft = readColour("var(--soft)"), line = readColour("var(--line)");
    const panel = readColour("var(--panel)");
    const axis = {
      axisLine: {lineStyle: {color: line}}, axisTick: {lineStyle: {color: line}}, axisLabel: {color: soft, hideOverlap: true},
      splitLine: {lineStyle: {color: line}}, nameTextStyle: {color: soft},
    };
    return {
      color: Array.from({length: 8}, (_, number) => readColour(`var(--series-${number + 1})`)),
      backgroundColor: "transparent",
      textStyle: {fontFamily: getComputedStyle(document.body).fontFamily},
      categoryAxis: {...axis, splitLine: {show: false}}, valueAxis: axis, logAxis: axis, timeAxis: axis,
      legend: {textStyle: {color: ink}, pageTextStyle: {color: soft}, pageIconColor: soft, inactiveColor: soft},
      tooltip: {backgroundColor: panel, borderColor: soft, textStyle: {color: ink}},
      visualMap: {textStyle: {color: soft}},
      sunburst: {itemStyle: {borderColor: panel}},
      heatmap: {itemStyle: {borderColor: panel}},
    };
  }
  function size(figure, place) {
    const height = Number(figure.dataset.height);
    place.style.height = `${"square" in figure.dataset ? Math.min(height, place.clientWidth) : height}px`;
  }
  function draw(figure) {
    const place = figure.querySelector(".chart");
    const option = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    const before = drawn.get(figure);
    if (before) before.dispose();
    size(figure, place);
    const chart = echarts.init(place, makeTheme());
    // Rich text is drawn on the canvas: no tooltip ever makes HTML of a text from the data.
    const tooltip = option.tooltip ? {tooltip: {...option.tooltip, renderMode: "richText", confine: true}} : {};
    chart.setOption(withColours({animation: false, ...option, ...tooltip}));
    drawn.set(figure, chart);
  }
  function drawAll() {
    if (typeof echarts === "undefined") return;
    for (const figure of document.querySelectorAll("figure[data-chart]")) draw(figure);
  }
  document.addEventListener("DOMContentLoaded", () => {
    drawAll();
    const watcher = new ResizeObserver(entries => {
      for (const entry of entries) {
        const chart = drawn.get(entry.target);
        if (!chart) continue;
        size(entry.target, entry.target.querySelector(".chart"));
        chart.resize();
      }
    });
    for (const figure of drawn.keys()) watcher.observe(figure);
    document.addEventListener("themechange", drawAll);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
    document.documentElement.dataset.charts = "drawn";
  });
})();
