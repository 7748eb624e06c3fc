// What can be said about what a person sees. Each function takes a report (its outermost element)
// or nothing, and returns plain data; `problems` is a list of sentences, empty where all is well.
window.look = (() => {
  const numbers = text => {
    const found = (text.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number)
    return found.length < 4 ? [...found, 1] : found
  }
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]))
  const linear = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4
  const light = c => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2])

  // What lies below an element, and how opaque it is, once for each element and page.
  const grounds = memo => element => {
    if (!element) return [[255, 255, 255], 1]
    if (memo.has(element)) return memo.get(element)
    const [below, opacity] = grounds(memo)(element.parentElement)
    const style = getComputedStyle(element)
    const found = [over(numbers(style.backgroundColor), below), opacity * Number(style.opacity)]
    memo.set(element, found)
    return found
  }
  const contrast = (element, memo = new Map()) => {
    const [background, opacity] = grounds(memo)(element)
    const text = numbers(getComputedStyle(element).color)
    text[3] *= opacity
    const [a, b] = [light(over(text, background)), light(background)].sort((x, y) => y - x)
    return (a + .05) / (b + .05)
  }
  const said = element => [...element.childNodes].some(n => n.nodeType == 3 && n.data.trim())
  const words = element => element.textContent.trim().replace(/\s+/g, ' ').slice(0, 70)
  const seen = report => [...report.querySelectorAll('*')].filter(e => e.checkVisibility())
  const scrolls = e => e && (getComputedStyle(e).overflowX == 'auto' || scrolls(e.parentElement))

  const faint = report => {
    const memo = new Map()
    return seen(report).filter(said).map(e => [contrast(e, memo), e]).filter(([c]) => c < 4.5)
      .map(([c, e]) => `contrast ${c.toFixed(2)}: ${words(e)}`)
  }
  const clipped = report => seen(report).filter(said).filter(e => {
    const box = e.getBoundingClientRect()
    return box.height < 6 || box.width < 2
  }).map(e => `no room: ${words(e)}`)
  const outside = report => {
    const edge = report.closest('.jp-OutputArea, body').getBoundingClientRect().right + 1
    const inTable = e => e.closest('table') && scrolls(e)
    return seen(report).filter(e => e.getBoundingClientRect().right > edge && !inTable(e))
      .filter(e => !(e.tagName == 'IMG' && scrolls(e.parentElement)))
      .map(e => `beyond the right edge: <${e.tagName}> ${words(e)}`)
  }
  const pictures = async report => {
    const found = []
    for (const image of report.querySelectorAll('img')) {
      try { await image.decode() } catch { found.push(`broken: ${image.alt.slice(0, 60)}`) }
      if (!image.naturalWidth) found.push(`without pixels: ${image.alt.slice(0, 60)}`)
      if (!image.alt.trim()) found.push(`without words: ${image.src.slice(0, 60)}`)
      const box = image.getBoundingClientRect()
      if (image.checkVisibility() && (box.height < 10 || box.width < 10))
        found.push(`picture without room: ${image.alt.slice(0, 60)}`)
    }
    return found
  }
  const tables = report => [...report.querySelectorAll('table')].flatMap(table => [
    ...(table.caption?.textContent.trim() ? [] : [`table without caption: ${words(table)}`]),
    ...[...table.querySelectorAll('th')].filter(h => !h.scope).map(h => `no scope: ${words(h)}`),
    ...(table.querySelector('thead th') ? [] : [`table without heads: ${words(table)}`]),
  ])
  const verdict = report => {
    const first = seen(report).find(e => said(e) && e.tagName != 'SUMMARY')
    if (!first) return ['nothing is seen']
    const below = first.getBoundingClientRect().top - report.getBoundingClientRect().top
    return below > 60 ? [`the verdict begins ${below} pixels below the top`] : []
  }
  // Notebook 7 puts outputs of more than 1820 pixels into a box of 312 that scrolls: the verdict is
  // to be seen there at once, unless a traceback stands above it.
  const boxed = report => {
    const box = report.closest('.jp-mod-outputsScrolled .jp-OutputArea')
    const first = seen(report).find(said)
    if (!box || !first || box.querySelector('[data-mime-type$="stderr"]')) return []
    const room = box.getBoundingClientRect().bottom - first.getBoundingClientRect().bottom
    return room < 0 ? [`the verdict is ${-room} pixels below the end of its scroll box`] : []
  }

  return {
    contrast,
    words,
    problems: async report => [
      ...verdict(report), ...faint(report), ...clipped(report), ...outside(report),
      ...tables(report), ...boxed(report), ...await pictures(report),
    ],
    height: report => report.getBoundingClientRect().height,
    page: () => document.documentElement.scrollWidth > innerWidth + 1
      ? [`the page scrolls sideways: ${document.documentElement.scrollWidth} > ${innerWidth}`] : [],
  }
})()
