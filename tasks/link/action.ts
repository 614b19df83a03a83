import type { Command } from "../command";
import { withClient, type UserArgs } from "../channel/open-client";

export interface CreateArgs extends UserArgs {
  amount: string;
}

export interface RedeemArgs extends UserArgs {
  secret: string;
}

export interface CancelArgs extends UserArgs {
  link: string;
}

export const createCommand: Command<CreateArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async ({ client, amount, show, chain }) => {
    const { asset, units } = amount(args.amount);
    const { secret, link, purchase } = await client.createLink({ asset: asset.address, amount: units });
    const lines = [
      `Link ${link} holds ${show(asset.address, units)}. Its secret, to be treated like the money itself:`,
      `  ${secret}`,
      `Next: npx hardhat link redeem --user 4 --secret ${secret} --network ${chain.network}`,
    ];
    return { json: { link, secret, purchase }, text: lines.join("\n") };
  });

export const redeemCommand: Command<RedeemArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async ({ client, show, chain }) => {
    const payment = await client.redeem(args.secret);
    const what = show(payment.asset, payment.amount);
    const how =
      payment.status === "waiting"
        ? "it is yours, and arrives as soon as the hub has brought collateral"
        : payment.status;
    const next = `Next: npx hardhat channel show --user ${args.user} --network ${chain.network}`;
    return { json: payment, text: `Redeemed ${what}: ${how}.\n${next}` };
  });

export const cancelCommand: Command<CancelArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async ({ client, show, chain }) => {
    const payment = await client.cancelLink(args.link);
    const next = `Next: npx hardhat channel show --user ${args.user} --network ${chain.network}`;
    return { json: payment, text: `${show(payment.asset, payment.amount)} are back from link ${args.link}.\n${next}` };
  });
