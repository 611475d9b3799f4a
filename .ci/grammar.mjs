// Grafana's grammar of TraceQL, as its editor has it, against our queries: `node grammar.mjs REPOSITORY`.
//
// It has to read every query that Tempo answered and every example of the documentation, but for what it doesn't know
// yet. That is listed here, and has to be refused: what the grammar learns leaves the list. Grafana sends what its editor
// underlines all the same.

import { parser } from '@grafana/lezer-traceql';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const repository = process.argv[2];
const MEASURE = String.raw`(?:rate|\w+_over_time)\([^)]*\)(?:\s*by\s*\([^)]*\))?`;

/// What Tempo knows and the grammar doesn't.
const UNKNOWN = [
  ['numbers of nested sets', /\bnestedSet/],
  ['the number of children', /\bspan:childCount\b/],
  ['names in which a scope begins a part', /\blink\.link/],
  ['durations of several units', /\d(?:h|m|s)\d/],
  ['quantiles without a zero in front', /quantile_over_time\([^)]*[ ,]\.\d/],
  ['comparisons of samples', new RegExp(String.raw`${MEASURE}(?:\s*\|\s*\w+\(\d+\))*\s*(?:=|!=|[<>])`)],
  ['hints for metrics', new RegExp(String.raw`${MEASURE}\s*with`)],
];
/// What is Niente's own.
const OWN = [['arithmetic with metrics', new RegExp(String.raw`\(\{[^}]*\} \| ${MEASURE}\)`)]];

const BESIDES = [...UNKNOWN, ...OWN];

function reads(query) {
  let isRead = true;
  parser.parse(query).iterate({ enter: (node) => { isRead &&= !node.type.isError; } });
  return isRead;
}

function recorded() {
  const file = path.join(repository, 'tests/conformance/webshop.cases.jsonl.gz');
  const lines = zlib.gunzipSync(fs.readFileSync(file)).toString().trim().split('\n');
  // Filters of tag values are what is in the editor, finished or not.
  const cases = lines.map((line) => JSON.parse(line)).filter((one) => one.status === 200 && one.category !== 'tag_values');
  return new Set(cases.map((one) => one.params?.q).filter(Boolean));
}

function documented() {
  const page = fs.readFileSync(path.join(repository, 'docs/traceql.md'), 'utf8');
  const blocks = [...page.matchAll(/^```traceql *(\w*)\n([^]*?)^```/gm)];
  return new Set(blocks.filter(([, word]) => word !== 'refused').map(([, , query]) => query.trim()));
}

const failures = [];
const met = new Set();
const queries = [...recorded(), ...documented()];
for (const query of queries) {
  const besides = BESIDES.filter(([, pattern]) => pattern.test(query)).map(([name]) => name);
  besides.forEach((name) => met.add(name));
  if (reads(query) === besides.length > 0) {
    failures.push(`${reads(query) ? 'reads' : 'refuses'} ${query}  (${besides.join(', ') || 'nothing besides'})`);
  }
}
for (const [name] of BESIDES.filter(([name]) => !met.has(name))) {
  failures.push(`no query has ${name}`);
}
// That it can refuse at all.
for (const query of ['{', '{ .a = }', '{ } | unknown()']) {
  if (reads(query)) failures.push(`reads ${query}`);
}

failures.forEach((failure) => console.error(`Grafana's grammar ${failure}`));
const read = queries.filter(reads).length;
console.log(`Grafana's grammar reads ${read} of ${queries.length} queries, and refuses what it doesn't know yet`);
if (queries.length < 250 || failures.length > 0) process.exit(1);
