import { AbiCoder, keccak256 } from "ethers";

const abi = AbiCoder.defaultAbiCoder();

/** What `HostileApp` can be told to do, in the order of its enum. */
const TRICKS = ["answer", "answerGasLeft", "write", "fail", "burnGas"] as const;

/** A resolver for `HostileApp`: do the trick, then answer with `length` bytes that begin with `word`. */
export function trick(name: (typeof TRICKS)[number], word = 0n, length = 32): string {
  return abi.encode(["uint8", "uint256", "uint256"], [TRICKS.indexOf(name), word, length]);
}

/** A card and the salt that hides it until it is shown. */
export interface Card {
  readonly value: number;
  readonly salt: string;
}

const CARD = "tuple(uint8 value, bytes32 salt)";
const ROUND = "tuple(bytes32 commitmentSender, bytes32 commitmentReceiver, uint128 balanceReceiver, uint128 stake)";

/** App state of a round of `HighestCardApp`. */
export function cardRound(sender: Card, receiver: Card, balanceReceiver: bigint, stake: bigint): string {
  const commit = (card: Card): string => keccak256(abi.encode([CARD], [card]));
  const round = { commitmentSender: commit(sender), commitmentReceiver: commit(receiver), balanceReceiver, stake };
  return abi.encode([ROUND], [round]);
}

/** The resolver that shows both cards. */
export function showCards(sender: Card, receiver: Card): string {
  return abi.encode([CARD, CARD], [sender, receiver]);
}
