// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Thread} from "../../interfaces/IChannelManager.sol";

/// @dev A thread app that does what its resolver tells it to, none of it good. Not declared as an `IThreadApp`,
/// because it does not even keep to `view`.
contract HostileApp {
    enum Trick {
        Answer,
        AnswerGasLeft,
        Write,
        Fail,
        BurnGas
    }

    uint256 public written;

    /// @param resolver `abi.encode(trick, word, length)`: the answer is `length` bytes that begin with `word`.
    function resolve(Thread calldata, bytes calldata, bytes calldata resolver) external returns (uint128) {
        (Trick trick, uint256 word, uint256 length) = abi.decode(resolver, (Trick, uint256, uint256));
        if (trick == Trick.Write) written = word;
        if (trick == Trick.AnswerGasLeft) word = gasleft();
        if (trick == Trick.BurnGas) while (true) {}
        if (trick == Trick.Fail) {
            assembly {
                mstore(0x00, word)
                revert(0x00, length)
            }
        }
        assembly {
            mstore(0x00, word)
            return(0x00, length)
        }
    }
}
