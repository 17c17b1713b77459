'use strict';
// Drives one member through Microsoft's client: keys, leases, watches, locks, elections, users. Ends with "all said", or with the first thing that was not as expected.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Etcd3, EtcdAuthenticationFailedError, EtcdLockFailedError, EtcdPermissionDeniedError, Range } = require('etcd3');

const client = new Etcd3({ hosts: process.argv[2] });

async function keys() {
  await client.put('greeting').value('hello');
  assert.equal(await client.get('greeting').string(), 'hello');
  assert.equal(await client.get('nothing'), null);
  await client.put('list/1').value('a');
  await client.put('list/2').value('b');
  assert.deepEqual(await client.getAll().prefix('list/').strings(), { 'list/1': 'a', 'list/2': 'b' });
  assert.deepEqual(await client.getAll().prefix('list/').sort('Key', 'Descend').limit(1).keys(), ['list/2']);
  const swapped = await client.if('greeting', 'Value', '==', 'hello').then(client.put('greeting').value('swapped')).else(client.get('greeting')).commit();
  assert.equal(swapped.succeeded, true);
  const lost = await client.if('greeting', 'Value', '==', 'hello').then(client.put('greeting').value('x')).else(client.get('greeting')).commit();
  assert.equal(lost.succeeded, false);
  assert.equal(lost.responses[0].response_range.kvs[0].value.toString(), 'swapped');
  assert.equal((await client.delete().prefix('list/')).deleted, '2');
}

async function stm() {
  await client.put('counter').value('1');
  await Promise.all([1, 2, 3, 4].map(() => client.stm().transact(async (tx) => {
    const before = await tx.get('counter').number();
    await tx.put('counter').value(String(before + 1));
  })));
  assert.equal(await client.get('counter').number(), 5);
}

async function leases() {
  const lease = client.lease(60);
  const id = await lease.grant();
  await lease.put('leased').value('x');
  assert.equal((await client.get('leased').exec()).kvs[0].lease, id);
  await lease.keepaliveOnce();
  assert.ok(Number((await client.leaseClient.leaseTimeToLive({ ID: id, keys: true })).TTL) > 0);
  await lease.revoke();
  assert.equal(await client.get('leased'), null);
}

async function watches() {
  const watcher = await client.watch().prefix('watched/').withPreviousKV().create();
  const put = once(watcher, 'put');
  await client.put('watched/1').value('one');
  const [first] = await put;
  assert.equal(first.value.toString(), 'one');
  const gone = once(watcher, 'delete');
  await client.delete().key('watched/1');
  const [deleted, previous] = await gone;
  assert.equal(deleted.key.toString(), 'watched/1');
  assert.equal(previous.value.toString(), 'one');
  await watcher.cancel();
  const late = await client.watch().key('watched/1').startRevision(first.mod_revision).create();
  const [again] = await once(late, 'put');
  assert.equal(again.mod_revision, first.mod_revision);
  await late.cancel();
}

async function locks() {
  const lock = client.lock('mutex').ttl(60);
  await lock.acquire();
  await assert.rejects(client.lock('mutex').acquire(), EtcdLockFailedError);
  await lock.release();
  assert.equal(await client.lock('mutex').do(() => 'held'), 'held');
}

async function elections() {
  const one = client.election('office', 60);
  const other = client.election('office', 60);
  const first = one.campaign('one');
  await once(first, 'elected');
  const observer = await one.observe();
  assert.equal(observer.leader(), 'one');
  const second = other.campaign('other');
  let elected = false;
  second.on('elected', () => { elected = true; });
  const proclaimed = once(observer, 'change');
  await first.proclaim('one, still');
  assert.deepEqual(await proclaimed, ['one, still']);
  assert.equal(elected, false);
  const changed = new Promise((resolve) => observer.on('change', (leader) => leader === 'other' && resolve()));
  await first.resign();
  await changed;
  await second.resign();
  await observer.cancel();
}

async function members() {
  const { members } = await client.cluster.memberList({});
  assert.equal(members.length, 1);
  assert.match((await client.maintenance.status()).version, /^3\./);
}

async function auth() {
  await client.user('root').create('secret');
  await client.role('root').create();
  await client.user('root').addRole('root');
  await client.role('reader').create();
  await client.role('reader').grant({ permission: 'Read', range: Range.prefix('open/') });
  await client.user('ann').create('ann');
  await client.user('ann').addRole('reader');
  await client.put('open/1').value('one');
  await client.auth.authEnable({});
  const as = (username, password) => new Etcd3({ hosts: process.argv[2], auth: { username, password } });
  const [root, ann, nobody] = [as('root', 'secret'), as('ann', 'ann'), as('ann', 'wrong')];
  assert.deepEqual(await ann.getAll().prefix('open/').strings(), { 'open/1': 'one' });
  await assert.rejects(ann.put('open/1').value('two').exec(), EtcdPermissionDeniedError);
  await assert.rejects(ann.get('closed').string(), EtcdPermissionDeniedError);
  await assert.rejects(nobody.get('open/1').string(), EtcdAuthenticationFailedError);
  await root.put('closed').value('x');
  assert.deepEqual((await root.getUsers()).map((user) => user.name).sort(), ['ann', 'root']);
  await root.auth.authDisable({});
  for (const each of [root, ann, nobody]) each.close();
}

async function main() {
  for (const part of [keys, stm, leases, watches, locks, elections, members, auth]) {
    await part();
    console.log(part.name);
  }
  client.close();
  console.log('all said');
}

main().catch((error) => { console.error(error); process.exit(1); });
