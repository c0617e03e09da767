// The unmodified TypeScript SDK: every method of the surface, streams, paging, errors, retries.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createReadStream, readFileSync, writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import LlamaCloud, { toFile } from '@llamaindex/llama-cloud';
import { makeClient, operations, writeCoverage } from './recorder.mjs';

const URL_PLAIN = process.env.CRIA_TEST_URL;
const URL_LLM = process.env.CRIA_TEST_LLM_URL;
const URL_KEYED = process.env.CRIA_TEST_KEYED_URL;
const URL_PROXY = process.env.CRIA_TEST_PROXY_URL;
const ASK = 'Which plant had the longest outage?';
const PARSE = { product_type: 'parse_v2', tier: 'fast', version: 'latest' };
const OUTAGES =
  'Outage report\n\nThe Elm Street plant had the longest outage of the year: 61 days.\n' +
  'The Quarry Road plant lost 14 days. The Mill Lane plant ran without an outage.\n';

const client = makeClient(URL_PLAIN);
const version = JSON.parse(
  readFileSync(new URL('package.json', import.meta.resolve('@llamaindex/llama-cloud')), 'utf8'),
).version;
let index;

const all = async (pages) => {
  const items = [];
  for await (const item of pages) items.push(item);
  return items;
};
const soon = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function built(c, indexId) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await c.beta.indexes.get(indexId);
    if (['ready', 'failed'].includes(found.metadata.status)) return found;
    assert.ok(Date.now() < deadline, 'the build does not end');
    await soon(20);
  }
}

async function makeIndex(c, documents, options = {}) {
  const directory = await c.beta.directories.create({ name: randomUUID() });
  for (const [name, text] of Object.entries(documents)) {
    await c.beta.directories.files.upload(directory.id, { upload_file: await toFile(Buffer.from(text), name) });
  }
  const made = await c.beta.indexes.create({ source_directory_id: directory.id, ...options });
  const done = await built(c, made.id);
  assert.equal(done.metadata.status, 'ready', JSON.stringify(done));
  return { directory, index: done };
}

async function faults(...list) {
  await fetch(`${URL_PROXY}/__seen`);
  await fetch(`${URL_PROXY}/__faults`, { method: 'POST', body: JSON.stringify(list) });
}
const seen = async () => (await fetch(`${URL_PROXY}/__seen`)).json();

// The published reader: split on lines, drop empty ones and comments, parse what follows `data: `.
async function readEvents(response, onEvent = () => {}) {
  const events = [];
  let rest = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (!line || line.startsWith(':') || !line.startsWith('data: ')) continue;
      events.push(JSON.parse(line.slice('data: '.length)));
      onEvent(events.at(-1));
    }
  }
  return events;
}
const said = (events) => events.filter((e) => e.type === 'text_delta').map((e) => e.content).join('');

before(async () => {
  index = (await makeIndex(client, { 'outages.txt': OUTAGES, 'b.txt': 'Bees hum.', 'c.txt': 'Cats nap.' })).index;
});
after(() => writeCoverage(`@llamaindex/llama-cloud ${version}`));

test('the released package', () => {
  assert.equal(version, '2.16.0');
  assert.equal(operations.length, 48);
});

test('files', async () => {
  const tag = randomUUID();
  const path = join(mkdtempSync(join(tmpdir(), 'cria-')), 'naïve.txt');
  writeFileSync(path, 'from a stream');
  const one = await client.files.create({ file: createReadStream(path), purpose: 'user_data', external_file_id: tag });
  const two = await client.files.create({ file: new File(['bytes'], 'two.txt'), purpose: 'parse', external_file_id: tag });
  const none = await client.files.create({ file: new File(['x'], 'n.txt'), purpose: 'parse', external_file_id: 'null' });
  assert.equal(one.name, 'naïve.txt');
  assert.equal(none.external_file_id, null);
  assert.equal((await client.files.retrieve(one.id)).external_file_id, tag);
  const shown = await client.files.retrieve(two.id, { expand: ['download_url'] });
  assert.equal(await (await fetch(shown.download_url.url)).text(), 'bytes');
  const link = await client.files.content(one.id, { expires_at_seconds: 60 });
  assert.equal(await (await fetch(link.url)).text(), 'from a stream');
  const listed = await all(client.files.list({ external_file_id: tag, page_size: 1, file_name: null }));
  assert.deepEqual(listed.map((f) => f.id), [two.id, one.id]);
  const found = await client.files.query({ filter: { external_file_id: tag }, order_by: 'name' });
  assert.deepEqual(found.items.map((f) => f.name), ['naïve.txt', 'two.txt']);
  await client.files.delete(one.id);
  await assert.rejects(client.files.retrieve(one.id), LlamaCloud.NotFoundError);
});

test('directories', async () => {
  const name = randomUUID();
  const made = await client.beta.directories.create({ name, description: 'd', system_metadata: { a: 1 } });
  assert.equal((await client.beta.directories.get(made.id)).name, name);
  assert.equal((await client.beta.directories.update(made.id, { description: null })).description, null);
  await client.beta.directories.create({ name, type: 'ephemeral' });
  const listed = await all(client.beta.directories.list({ name, page_size: 1, type: null }));
  assert.equal(listed.length, 2);
  assert.equal((await all(client.beta.directories.list({ name, types: ['user', 'ephemeral'] }))).length, 2);
  await client.beta.directories.delete(made.id);
  assert.equal((await all(client.beta.directories.list({ name, include_deleted: true }))).length, 2);
  assert.equal((await all(client.beta.directories.list({ name }))).length, 1);
});

test('directory files', async () => {
  const { files } = client.beta.directories;
  const directory = await client.beta.directories.create({ name: randomUUID() });
  const other = await client.beta.directories.create({ name: randomUUID() });
  const stored = await client.files.create({ file: new File(['s'], 's.txt'), purpose: 'user_data' });
  const entry = await files.add(directory.id, {
    file_id: stored.id, unique_id: 'u', display_name: 'shown', metadata: { k: 'v', n: 1, l: ['a'] },
  });
  assert.deepEqual(entry.metadata, { k: 'v', n: 1, l: ['a'] });
  const up = await files.upload(directory.id, {
    upload_file: new File(['uploaded'], 'up.txt'), metadata: '{"m": true}', unique_id: 'up',
  });
  assert.deepEqual(up.metadata, { m: true });
  assert.equal((await all(files.list(directory.id, { page_size: 1 }))).length, 2);
  assert.equal((await all(files.list(directory.id, { unique_id: 'up' })))[0].id, up.id);
  const got = await files.get(up.id, { directory_id: directory.id, expand: ['download_url'] });
  assert.equal(await (await fetch(got.download_url.url)).text(), 'uploaded');
  const changed = await files.update(up.id, { directory_id: directory.id, display_name: 'd2' });
  assert.equal(changed.display_name, 'd2');
  const moved = await files.update(up.id, { directory_id: directory.id, target_directory_id: other.id });
  assert.equal(moved.directory_id, other.id);
  await files.delete(up.id, { directory_id: other.id });
  await assert.rejects(files.get(up.id, { directory_id: other.id }), LlamaCloud.NotFoundError);
});

test('indexes', async () => {
  const made = await makeIndex(client, { 'a.txt': 'Some words.' }, {
    name: 'by sdk', description: 'd', store_attachments: [], sync_frequency: 'manual', vector_target: 'DEFAULT',
    products: [{ product_type: 'parse', product_config_id: 'cfg-PARSE_FAST' }],
  });
  assert.ok(made.index.last_exported_at);
  await client.beta.indexes.create({ source_directory_id: made.directory.id });
  const listed = await all(client.beta.indexes.list({ source_directory_id: made.directory.id, page_size: 1 }));
  assert.equal(listed.length, 2);
  assert.deepEqual(await client.beta.indexes.sync(made.index.id), {});
  await built(client, made.index.id);
  // Create, then sync at once, as the published example does: back-off bridges the build.
  const again = await client.beta.indexes.create({ source_directory_id: made.directory.id });
  await client.beta.indexes.sync(again.id);
  await client.beta.indexes.delete(made.index.id);
  await assert.rejects(client.beta.indexes.get(made.index.id), LlamaCloud.NotFoundError);
});

test('retrieval', async () => {
  for (const id of [index.id, index.export_config_id]) {
    const found = await client.beta.retrieval.retrieve({
      index_id: id, query: ASK, top_k: 2, rerank: { enabled: true, top_n: 1 }, score_threshold: 0,
      full_text_pipeline_weight: 0.5, vector_pipeline_weight: 0.5, num_candidates: 20,
      custom_filters: null, static_filters: null,
    });
    assert.match(found.results[0].content, /Elm Street/);
    const { parsed_directory_file_id: fileId } = found.results[0].static_fields;
    const names = await all(client.beta.retrieval.find({ index_id: id, page_size: 1 }));
    assert.deepEqual(names.map((f) => f.file_name), ['b.txt', 'c.txt', 'outages.txt']);
    const matches = await all(client.beta.retrieval.grep({
      index_id: id, file_id: fileId, pattern: '\\d+ days', page_size: 1, context_chars: 4,
    }));
    assert.equal(matches.length, 2);
    const text = (await client.beta.retrieval.read({ index_id: id, file_id: fileId })).content;
    assert.equal(text.slice(matches[0].start_char, matches[0].end_char), '61 days');
    const part = await client.beta.retrieval.read({ index_id: id, file_id: fileId, offset: 3, max_length: 4 });
    assert.equal(part.content, text.slice(3, 7));
  }
});

test('chat', async () => {
  const empty = await client.beta.chat.create();
  assert.equal(empty.index_ids, null);
  const session = await client.beta.chat.create({ index_ids: [index.id] });
  const response = await client.beta.chat.stream(session.session_id, { index_ids: [index.id], prompt: ASK }).asResponse();
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  const events = await readEvents(response);
  assert.equal(events[0].type, 'user_input');
  assert.equal(events.at(-1).type, 'stop');
  assert.equal(events.filter((e) => e.type === 'stop').length, 1);
  assert.match(said(events), /Elm Street/);
  const history = await client.beta.chat.retrieve(session.session_id);
  assert.deepEqual(history.events, events.filter((e) => !e.type.endsWith('_delta')));
  const summary = await client.beta.chat.getSummary(session.session_id);
  assert.equal(summary.generated_title, ASK);
  assert.equal(summary.job_metadata.is_error, false);
  await client.beta.chat.create({ index_ids: null });
  const page = await client.beta.chat.list({ page_size: 1, page_token: null });
  assert.equal(page.items.length, 1);
  assert.ok(page.hasNextPage());
  const listed = await all(page);
  assert.ok(listed.map((s) => s.session_id).includes(session.session_id));
  await client.beta.chat.delete(session.session_id);
  await assert.rejects(client.beta.chat.retrieve(session.session_id), LlamaCloud.NotFoundError);
});

test('a stream read as a whole', async () => {
  const session = await client.beta.chat.create({ index_ids: [index.id] });
  const text = await client.beta.chat.stream(session.session_id, { index_ids: [], prompt: ASK });
  assert.match(String(text), /event: message\ndata: \{"type":"user_input"/);
  const { data, response } = await client.beta.chat
    .stream(session.session_id, { index_ids: [index.id], prompt: ASK }).withResponse();
  assert.equal(response.status, 200);
  assert.match(String(data), /Elm Street/);
});

test('deltas arrive while the model writes', async () => {
  const modelled = makeClient(URL_LLM);
  const { index: own } = await makeIndex(modelled, { 'a.txt': 'Some words.' });
  const session = await modelled.beta.chat.create({ index_ids: [own.id] });
  const begun = performance.now();
  let first;
  const response = await modelled.beta.chat
    .stream(session.session_id, { index_ids: [], prompt: 'scenario:slow' }, { timeout: 1500, maxRetries: 0 })
    .asResponse();
  const events = await readEvents(response, (e) => { if (e.type === 'text_delta') first ??= performance.now(); });
  assert.ok(said(events).endsWith('word59 '));
  assert.ok(performance.now() - first > 1000, 'not all at the end');
  assert.ok(performance.now() - begun > 1500, 'a body may take longer than the time-out to headers');
  const failed = await modelled.beta.chat.stream(session.session_id, { index_ids: [], prompt: 'scenario:error' }).asResponse();
  const stop = (await readEvents(failed)).at(-1);
  assert.equal(stop.is_error, true);
  assert.match(stop.error, /scripted refusal/);
});

test('leaving a stream early', async () => {
  const session = await client.beta.chat.create({ index_ids: [index.id] });
  const controller = new AbortController();
  const response = await client.beta.chat
    .stream(session.session_id, { index_ids: [], prompt: ASK }, { signal: controller.signal }).asResponse();
  controller.abort();
  await response.text().catch(() => {});
  const deadline = Date.now() + 10_000;
  while (!(await client.beta.chat.getSummary(session.session_id)).job_metadata) {
    assert.ok(Date.now() < deadline);
    await soon(10);
  }
  assert.equal((await client.beta.chat.retrieve(session.session_id)).events.at(-1).is_error, false);
});

test('projects', async () => {
  const projects = await client.projects.list({ project_name: null });
  assert.equal((await client.projects.get(projects[0].id)).name, projects[0].name);
  const paged = await all(client.v2Projects.list({ page_size: 1 }));
  assert.deepEqual(paged.map((p) => p.id), projects.map((p) => p.id));
  assert.equal((await client.v2Projects.get(paged[0].id)).id, paged[0].id);
});

test('configurations', async () => {
  const name = randomUUID();
  const made = await client.configurations.create({ name, parameters: PARSE });
  assert.equal((await client.configurations.retrieve(made.id)).parameters.tier, 'fast');
  const changed = await client.configurations.update(made.id, { parameters: { ...PARSE, tier: 'agentic' } });
  assert.equal(changed.parameters.tier, 'agentic');
  await client.configurations.create({ name, parameters: { product_type: 'unknown' } });
  assert.equal((await all(client.configurations.list({ name, page_size: 1 }))).length, 2);
  await client.configurations.delete(made.id);
  await assert.rejects(client.configurations.retrieve(made.id), LlamaCloud.NotFoundError);
});

test('typed errors', async () => {
  const once = makeClient(URL_PLAIN, { maxRetries: 0 });
  await assert.rejects(once.beta.chat.list({ page_token: 'none' }), LlamaCloud.BadRequestError);
  await assert.rejects(once.beta.chat.retrieve('no such/id'), (error) => {
    assert.ok(error instanceof LlamaCloud.NotFoundError);
    assert.ok(error.error.detail);
    return true;
  });
  await assert.rejects(once.beta.chat.stream('ses-x', { index_ids: [index.id], prompt: '' }), (error) => {
    assert.ok(error instanceof LlamaCloud.UnprocessableEntityError);
    assert.deepEqual(error.error.detail[0].loc, ['body', 'prompt']);
    return true;
  });
  await assert.rejects(once.beta.chat.list({ project_id: randomUUID() }), LlamaCloud.PermissionDeniedError);
  const keyed = { maxRetries: 0 };
  await assert.rejects(makeClient(URL_KEYED, { ...keyed, apiKey: 'wrong' }).projects.list(), LlamaCloud.AuthenticationError);
  const reader = makeClient(URL_KEYED, { ...keyed, apiKey: process.env.CRIA_TEST_READ_KEY });
  await assert.rejects(reader.beta.chat.create(), LlamaCloud.PermissionDeniedError);
  assert.ok((await makeClient(URL_KEYED, { apiKey: process.env.CRIA_TEST_KEY }).projects.list()).length >= 1);
});

test('a conflict that waiting cannot help is told at once', async () => {
  const session = await client.beta.chat.create({ index_ids: [index.id] });
  await client.beta.chat.stream(session.session_id, { index_ids: [], prompt: ASK });
  const { index: other } = await makeIndex(client, { 'o.txt': 'Other words.' });
  const begun = performance.now();
  await assert.rejects(
    client.beta.chat.stream(session.session_id, { index_ids: [other.id], prompt: ASK }), LlamaCloud.ConflictError);
  assert.ok(performance.now() - begun < 2000);
});

for (const fault of [500, 503, 429, 408, 409, 'close']) {
  test(`one fault is ridden out: ${fault}`, async () => {
    await faults(fault);
    assert.ok((await makeClient(URL_PROXY).beta.chat.create()).session_id);
    assert.equal((await seen()).length, 2);
  });
}

test('a stream and an upload are tried again', async () => {
  const through = makeClient(URL_PROXY);
  const session = await through.beta.chat.create({ index_ids: [index.id] });
  await faults(500, 'close');
  const response = await through.beta.chat.stream(session.session_id, { index_ids: [], prompt: ASK }).asResponse();
  assert.match(said(await readEvents(response)), /Elm Street/);
  await faults(500);
  const made = await through.files.create({ file: new File(['again'], 'r.txt'), purpose: 'parse' });
  assert.equal(await (await fetch((await through.files.content(made.id)).url)).text(), 'again');
});

test('retries end, and x-should-retry is obeyed', async () => {
  await faults(500, 500, 500);
  await assert.rejects(makeClient(URL_PROXY, { maxRetries: 2 }).beta.chat.list(), LlamaCloud.InternalServerError);
  assert.equal((await seen()).length, 3);
  await faults({ status: 503, headers: { 'x-should-retry': 'false' } });
  await assert.rejects(makeClient(URL_PROXY).beta.chat.list(), LlamaCloud.InternalServerError);
  assert.equal((await seen()).length, 1);
});

test('time-outs', async () => {
  await faults('stall');
  await assert.rejects(
    makeClient(URL_PROXY, { timeout: 300, maxRetries: 0 }).beta.chat.list(), LlamaCloud.APIConnectionTimeoutError);
  await faults('stall');
  assert.ok(await makeClient(URL_PROXY, { timeout: 500, maxRetries: 1 }).beta.chat.list());
});
