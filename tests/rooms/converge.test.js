// Few rounds of what tests/rooms/campaign does many times. ROOMS_SEED repeats a run.
import { after, afterEach, before, test } from 'node:test';
import { startRedis } from '../integration/lib/redis.js';
import { assertKept, faults, rounds } from './converge.js';
import { leaveAll } from './lib/clients.js';
import { startHouse } from './lib/house.js';

const ROUNDS = Number(process.env.ROOMS_ROUNDS ?? 10);
const firstSeed = Number(process.env.ROOMS_SEED ?? Math.floor(Math.random() * 2 ** 31));

let redis;
const houses = [];
before(async () => {
    redis = await startRedis();
});
afterEach(async () => {
    leaveAll();
    for (const house of houses.splice(0)) await house.stop();
});
after(() => redis?.stop());

for (const [count, name] of [
    [1, 'one daemon'],
    [3, 'three daemons that share Redis'],
]) {
    test(`${ROUNDS} rounds on ${name}, seed ${firstSeed}`, async () => {
        for (let i = 0; i < count; i++) houses.push(await startHouse(redis));
        const kept = [];
        for (let i = 0; i < ROUNDS; i += 2) {
            const seeds = [firstSeed + i, firstSeed + i + 1].slice(0, ROUNDS - i);
            kept.push(...(await rounds({ houses, redis, seeds, fault: faults.restarts })));
        }
        await assertKept(houses, kept);
    });
}
