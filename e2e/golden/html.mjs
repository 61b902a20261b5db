// HTML as a tree, one node a line: two texts that parse alike are alike.
import { parse, parseFragment } from 'parse5'

/**
 * Lines of the tree that `html` parses to: attributes sorted, text quoted, two spaces a level.
 * A text that begins with `<body` or `<html` or a doctype is a document; anything else a fragment,
 * in which table rows and options survive on their own.
 *
 * @param {string} html
 * @returns {string[]}
 */
export function htmlLines (html) {
  const isDocument = /^\s*<(!doctype|html|body)\b/i.test(html)
  const lines = []
  walk(isDocument ? parse(html) : parseFragment(html), 0, lines)
  return lines
}

function walk (parent, depth, lines) {
  const indent = '  '.repeat(depth)
  for (const node of parent.childNodes ?? []) {
    if (node.nodeName === '#text') {
      lines.push(indent + JSON.stringify(node.value))
    } else if (node.nodeName === '#comment') {
      lines.push(`${indent}<!--${node.data}-->`)
    } else if (node.tagName) {
      const attributes = node.attrs
        .map(({ prefix, name, value }) => `${prefix ? prefix + ':' : ''}${name}=${JSON.stringify(value)}`)
        .sort()
      lines.push(`${indent}<${[node.tagName, ...attributes].join(' ')}>`)
      walk(node.content ?? node, depth + 1, lines)
    }
  }
}
