// What is wrong with the page for those who cannot see it well, cannot see it, or cannot aim.
() => {
  const shown = (element) => element.checkVisibility({ visibilityProperty: true })
    && !element.closest('[aria-hidden="true"], .sr, .sprite');
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    probe.clearRect(0, 0, 1, 1);
    probe.fillStyle = color;
    probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, below) => below.map((c, i) => top[i] * top[3] / 255 + c * (1 - top[3] / 255));
  const ground = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) layers.push(rgba(getComputedStyle(each).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const light = (color) => {
    const [r, g, b] = color.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const pale = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !shown(element) || element.closest("script, template, :disabled")) continue;
    const back = ground(element);
    const contrast = ratio(over(rgba(getComputedStyle(element).color), back), back);
    if (contrast < 4.5) pale.push(`${contrast.toFixed(2)} ${text.slice(0, 40)}`);
  }
  const small = [...document.querySelectorAll("button, summary, input, .btn")].filter(shown)
    .map((element) => [element, element.getBoundingClientRect()])
    .filter(([element, box]) => !["checkbox", "radio"].includes(element.type) && (box.height < 24 || box.width < 24))
    .map(([element]) => element.outerHTML.slice(0, 80));
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const labelled = [...document.querySelectorAll("[aria-labelledby]")].flatMap((element) => element.getAttribute("aria-labelledby").split(" "));
  const headings = [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown).map((element) => Number(element.tagName[1]));
  return {
    pale,
    small,
    twice: ids.filter((id, index) => ids.indexOf(id) !== index),
    dangling: labelled.filter((id) => !ids.includes(id)),
    firsts: headings.filter((level) => level === 1).length,
    skips: headings.filter((level, index) => index > 0 && level > headings[index - 1] + 1),
    unnamed: [...document.querySelectorAll("svg[role=img], progress, [role=region], section, article, aside")]
      .filter(shown).filter((element) => !element.getAttribute("aria-label") && !element.getAttribute("aria-labelledby")
        && !element.closest(".notice")).map((element) => element.outerHTML.slice(0, 80)),
  };
}
