/** Elements and names, as a sentence to a developer writes them. */

/** An element as one line: `button#save.wide`. */
export function named (element: Element): string {
  const id = element.id === '' ? '' : `#${element.id}`
  const classes = [...element.classList].slice(0, 3).map(name => `.${name}`).join('')
  return `${element.localName}${id}${classes}`
}

/** Of several names the one most like another, if one is: at most a third of its letters differ. */
export function nearest (name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.floor(Math.max(name.length, 3) / 3) + 1
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) >= least) continue
    const differing = distance(name.toLowerCase(), candidate.toLowerCase())
    if (differing < least) {
      least = differing
      best = candidate
    }
  }
  return best
}

/** How many letters must be put in, taken out, replaced or exchanged with their neighbour to make one text of the other. */
function distance (one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= one.length; i++) {
    const above = rows[i - 1]!
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const replaced = above[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1)
      let least = Math.min(replaced, above[j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) least = Math.min(least, rows[i - 2]![j - 2]! + 1)
      row.push(least)
    }
    rows.push(row)
  }
  return rows[one.length]![other.length]!
}
