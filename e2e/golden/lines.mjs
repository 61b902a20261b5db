// Differences between two lists of lines, as few as possible, in reading order.

/**
 * @param {string[]} expected
 * @param {string[]} actual
 * @returns {string[]} `- line` for what is missing, `+ line` for what is new; empty when equal
 * @example
 * lineDifferences(['a', 'b'], ['a', 'c']) // ['- b', '+ c']
 */
export function lineDifferences (expected, actual) {
  let start = 0
  while (start < expected.length && start < actual.length && expected[start] === actual[start]) start++
  let end = 0
  while (end < expected.length - start && end < actual.length - start &&
    expected[expected.length - 1 - end] === actual[actual.length - 1 - end]) end++
  const a = expected.slice(start, expected.length - end)
  const b = actual.slice(start, actual.length - end)

  // common[i][j]: length of the longest common subsequence of a[i..] and b[j..].
  const common = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1])
    }
  }
  const differences = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++
      j++
    } else if (j === b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) {
      differences.push('- ' + a[i++])
    } else {
      differences.push('+ ' + b[j++])
    }
  }
  return differences
}
