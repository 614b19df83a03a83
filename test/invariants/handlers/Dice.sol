// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice All choices of one handler call, drawn from the one word that forge gave it.
struct Dice {
    uint256 seed;
}

using {next, below, oneIn, upTo, pick} for Dice global;

function next(Dice memory dice) pure returns (uint256) {
    dice.seed = uint256(keccak256(abi.encode(dice.seed)));
    return dice.seed;
}

function below(Dice memory dice, uint256 limit) pure returns (uint256) {
    return next(dice) % limit;
}

function oneIn(Dice memory dice, uint256 chances) pure returns (bool) {
    return below(dice, chances) == 0;
}

/// @dev 0..max, both included, and both more often than chance: bugs sit at the ends.
function upTo(Dice memory dice, uint256 max) pure returns (uint128) {
    uint256 kind = below(dice, 4);
    if (kind == 0 || max == 0) return 0;
    return uint128(kind == 1 ? max : next(dice) % (max + 1));
}

function pick(Dice memory dice, address[] memory from) pure returns (address) {
    return from[below(dice, from.length)];
}
