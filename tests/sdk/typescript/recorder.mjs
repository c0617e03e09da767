// Writes down which operation each SDK method called, without touching the SDK: the client gets a
// `fetch` that notes (an option of the SDK), and a wrapper over its resources that remembers the
// dotted name of the method being called.
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import LlamaCloud from '@llamaindex/llama-cloud';

export const ROOT = process.env.CRIA_ROOT ?? join(dirname(fileURLToPath(import.meta.url)), '../../..');
const method = new AsyncLocalStorage();
const calls = {};

// The few facts that are needed of api/openapi.yaml: path, verb, operationId, x-cria-sdk line.
// The file keeps one block per operation at a fixed depth, which a YAML reader is not needed for.
export const operations = (() => {
  const found = [];
  let path = null;
  let verb = null;
  for (const line of readFileSync(join(ROOT, 'api/openapi.yaml'), 'utf8').split('\n')) {
    let match;
    if (line.startsWith('components:')) break;
    if ((match = /^ {2}(\/\S+):$/.exec(line))) path = match[1];
    else if ((match = /^ {4}(get|post|put|patch|delete):$/.exec(line))) verb = match[1].toUpperCase();
    else if ((match = /^ {6}operationId: (\S+)$/.exec(line))) {
      const regex = new RegExp('^' + path.replace(/\{[^}]*\}/g, '[^/]+') + '$');
      found.push({ id: match[1], path, verb, regex, sdk: {} });
    } else if ((match = /^ {6}x-cria-sdk: \{(.*)\}$/.exec(line))) {
      for (const pair of match[1].split(', ')) {
        const [name, value] = pair.split(': ');
        if (value !== 'null') found.at(-1).sdk[name] = value;
      }
    }
  }
  return found;
})();

export function operationOf(verb, path) {
  const fits = operations.filter((o) => o.verb === verb && o.regex.test(path));
  return fits.find((o) => !o.path.includes('{')) ?? fits[0];
}

async function notingFetch(url, init) {
  const response = await fetch(url, init);
  const name = method.getStore();
  const operation = operationOf((init?.method ?? 'GET').toUpperCase(), new URL(url).pathname);
  if (name && operation && response.status < 400) {
    (calls[operation.id] ??= new Set()).add(name);
  }
  return response;
}

function wrap(target, name) {
  return new Proxy(target, {
    get(_, key) {
      const value = target[key];
      if (typeof key !== 'string' || key.startsWith('_')) return value;
      if (typeof value === 'function') {
        return (...args) => method.run(`${name}.${key}`, () => value.apply(target, args));
      }
      return value && typeof value === 'object' && '_client' in value ? wrap(value, `${name}.${key}`) : value;
    },
  });
}

export function makeClient(baseURL, options = {}) {
  const client = new LlamaCloud({ apiKey: 'any', baseURL, fetch: notingFetch, ...options });
  return wrap(client, 'client');
}

export function writeCoverage(label) {
  const plain = new LlamaCloud({ apiKey: 'x', baseURL: 'http://x' });
  const offered = {};
  for (const operation of operations) {
    for (const kind of ['ts', 'ts_ga']) {
      const name = operation.sdk[kind];
      if (!name) continue;
      let here = plain;
      for (const part of name.split('.').slice(1)) here = here?.[part];
      if (here !== undefined && !offered[operation.id]?.includes(name)) {
        (offered[operation.id] ??= []).push(name);
      }
    }
  }
  const sorted = Object.fromEntries(
    Object.keys(calls).sort().map((id) => [id, [...calls[id]].sort()]),
  );
  const folder = join(ROOT, '.tests/coverage');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'typescript.json'),
    JSON.stringify({ sdk: label, offered, calls: sorted }, null, 1) + '\n',
  );
}
