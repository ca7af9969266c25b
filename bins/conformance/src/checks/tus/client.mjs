// Resumable uploads with tus-js-client, the library in ownCloud Web.
import assert from 'node:assert';
import { randomBytes } from 'node:crypto';
import { Upload } from 'tus-js-client';

const base = process.env.FILES;
const authorization = process.env.AUTHORIZATION;

// Uploads `content` to `name`; `options` are the library's.
function upload(name, content, options = {}) {
  return new Promise((resolve, reject) => {
    const wanted = new Upload(content, {
      endpoint: base,
      headers: { Authorization: authorization },
      metadata: { filename: name, mtime: '1700000000' },
      retryDelays: null,
      onError: reject,
      onSuccess: () => resolve(wanted),
      ...options,
    });
    options.begun?.(wanted, resolve);
    wanted.start();
  });
}

async function download(name) {
  const path = name.split('/').map(encodeURIComponent).join('/');
  const answer = await fetch(`${base}/${path}`, { headers: { authorization } });
  assert.equal(answer.status, 200, name);
  assert.equal(answer.headers.get('last-modified'), 'Tue, 14 Nov 2023 22:13:20 GMT');
  return Buffer.from(await answer.arrayBuffer());
}

async function carried(name, size, options) {
  const content = randomBytes(size);
  await upload(name, content, options);
  assert.ok(content.equals(await download(name)), name);
}

await carried('nothing', 0);
await carried('in one', 300_000);
await carried('begun with bytes', 70_000, { uploadDataDuringCreation: true });
await carried('ü ñ %41 & +.bin', 1_000_000, { chunkSize: 64_000 });
await carried('pieces with the beginning', 500_000, {
  chunkSize: 100_000,
  uploadDataDuringCreation: true,
});
await carried('over post', 200_000, { chunkSize: 50_000, overridePatchMethod: true });
// Again, over what is there.
await carried('in one', 5_000_000, { chunkSize: 2_000_000 });

// A client that goes away in the middle, and comes back.
const content = randomBytes(3_000_000);
const left = await upload('resumed', content, {
  chunkSize: 500_000,
  begun(wanted, resolve) {
    wanted.options.onChunkComplete = (_, accepted) => {
      if (accepted >= 1_000_000) wanted.abort().then(() => resolve(wanted));
    };
  },
});
let started = -1;
await upload('resumed', content, {
  chunkSize: 500_000,
  uploadUrl: left.url,
  onProgress(sent) {
    if (started < 0) started = sent;
  },
});
assert.ok(started >= 1_000_000, `it began anew, at ${started}`);
assert.ok(content.equals(await download('resumed')), 'resumed');

// Two at once for one name: both arrive, one of them stays.
const two = [randomBytes(400_000), randomBytes(400_000)];
await Promise.all(two.map((content) => upload('both', content, { chunkSize: 100_000 })));
const both = await download('both');
assert.ok(two.some((content) => content.equals(both)), 'both');

// One that is given up leaves nothing.
const given = await upload('given up', content, {
  chunkSize: 500_000,
  begun(wanted, resolve) {
    wanted.options.onChunkComplete = () => wanted.abort(true).then(() => resolve(wanted));
  },
});
const head = { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } };
assert.equal((await fetch(given.url, head)).status, 404);
assert.equal((await fetch(`${base}/given%20up`, { headers: { authorization } })).status, 404);
console.log('ok');
