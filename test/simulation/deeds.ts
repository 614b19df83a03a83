import { CodedError } from "../../protocol/coded-error";
import { ZERO_ADDRESS, type Hash, type Hex } from "../../protocol";
import type { ConnextClient } from "../../client";
import { hasCode } from "../../client/errors";
import { isInterrupted } from "../chaos/chaos-world";
import { Crash } from "../chaos/seams";
import type { Deed } from "./action";
import type { Simulation } from "./simulation";

type DeedOf<Kind extends Deed["kind"]> = Extract<Deed, { readonly kind: Kind }>;

type Doers = {
  readonly [Kind in Deed["kind"]]: (sim: Simulation, client: ConnextClient, deed: DeedOf<Kind>) => Promise<unknown>;
};

/** Does it if its client is there. What the client answers changes what is due. */
export async function doDeed(sim: Simulation, deed: Deed): Promise<void> {
  const client = await sim.clientOf(deed.by);
  if (client === undefined) return;
  await (DOERS[deed.kind] as (sim: Simulation, client: ConnextClient, deed: Deed) => Promise<unknown>)(
    sim,
    client,
    deed,
  );
}

/** An answer that says no, once and for all. Anything without a code is a fault of the code. */
export function isRefusal(error: unknown): boolean {
  return error instanceof CodedError && !isUnknown(error);
}

/** Whether it has happened nobody can say yet. */
export function isUnknown(error: unknown): boolean {
  return error instanceof Crash || isInterrupted(error) || hasCode(error, "TimedOut");
}

const DOERS: Doers = {
  pay: (sim, client, { by, to, type, amount }) =>
    spending(sim, by, amount, async () => {
      const recipient = sim.world.address(to);
      const payments = [{ type, recipient, amount: { amountWei: amount } }];
      const { payments: done } = await client.buy({ id: sim.nextId(), payments, waitForCollateralMs: 2_000 });
      const [{ status } = { status: "none" }] = done;
      if (status === "forwarded" || status === "custodial") sim.owes(to, ZERO_ADDRESS, amount);
    }),
  link: (sim, client, { by, amount }) =>
    spending(sim, by, amount, async () => {
      const { secret } = await client.createLink({ amountWei: amount });
      sim.links.push({ secret: secret as Hex, amount });
    }),
  redeem: async (sim, client, { by, pick }) => {
    const link = sim.links[pick % Math.max(1, sim.links.length)];
    if (link === undefined) return;
    await client.redeem(link.secret);
    sim.links.splice(sim.links.indexOf(link), 1);
    sim.owes(by, ZERO_ADDRESS, link.amount);
  },
  exchange: async (sim, client, { by, amount, back }) => {
    const [from, to] = back ? [sim.world.token, ZERO_ADDRESS] : [ZERO_ADDRESS, sim.world.token];
    const given = back ? amount * 1_000n : amount;
    await spending(
      sim,
      by,
      given,
      async () => {
        const { bought } = await client.exchange(given, from, to);
        sim.owes(by, to, bought);
      },
      from,
    );
  },
  withdraw: (_, client, { amount }) => client.withdraw({ recipient: client.address, amountWei: amount }),
  collateral: (_, client, { amount }) => client.requestCollateral({ amountWei: amount }),
  "open thread": (sim, client, { to, amount, updatable }) =>
    client.openThread({ to: sim.world.address(to), amount: { amountWei: amount }, updatable }),
  "pay thread": async (sim, client, { by, pick, amount }) => {
    const own = threadOf(client, pick, true);
    if (own === undefined) return;
    const { hash, updatable, standing } = own;
    await spending(sim, by, amount, () =>
      updatable ? client.updateThread(hash, { balanceReceiver: standing + amount }) : client.payThread(hash, amount),
    );
  },
  "close thread": async (_, client, { pick }) => {
    const own = threadOf(client, pick, false);
    if (own !== undefined) await client.closeThread(own.hash);
  },
};

/** What is spent is not due any more, unless the answer was a clear no. */
async function spending(
  sim: Simulation,
  by: Deed["by"],
  amount: bigint,
  spend: () => Promise<unknown>,
  asset = ZERO_ADDRESS,
): Promise<void> {
  sim.owes(by, asset, -amount);
  try {
    await spend();
  } catch (error) {
    if (isRefusal(error)) sim.owes(by, asset, amount);
    throw error;
  }
}

interface Picked {
  readonly hash: Hash;
  readonly updatable: boolean;
  readonly standing: bigint;
}

function threadOf(client: ConnextClient, pick: number, asSender: boolean): Picked | undefined {
  const open = client
    .listThreads()
    .filter(({ leg, thread }) => leg === "open" && (!asSender || thread.sender === client.address));
  const own = open[pick % Math.max(1, open.length)];
  if (own === undefined) return undefined;
  const { updatable, balanceReceiver } = own.thread;
  const signed = own.ownUpdate?.update.balanceReceiver ?? 0n;
  const agreed = own.update?.update.balanceReceiver ?? balanceReceiver;
  return { hash: own.hash, updatable, standing: signed > agreed ? signed : agreed };
}
