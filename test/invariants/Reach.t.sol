// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Handler} from "./handlers/Handler.sol";

/// @title Reach
/// @notice An invariant that holds because nothing ever happened says nothing: this walks as the fuzzer does and
/// shows that every outcome the invariants are about comes about.
contract Reach {
    // solhint-disable-next-line const-name-snakecase
    bool public constant IS_TEST = true;

    uint256 private constant WALKS = 16;
    uint256 private constant CALLS = 256;
    /// @dev forge prints what is called here.
    address private constant CONSOLE = 0x000000000000000000636F6e736F6c652e6c6f67;

    string[] private _outcomes = [
        "relayed with a tight gas limit",
        "a payout failed and became claimable",
        "withdrew to the manager itself",
        "an exit was challenged",
        "a dropped row was reclaimed",
        "better evidence was accepted",
        "an app resolved terms",
        "an app resolved an update",
        "a leg was paid",
        "both legs were paid",
        "Alice's newest state replaced an older one",
        "Alice's evidence raised her balance"
    ];
    mapping(string outcome => uint256) private _total;

    error NeverReached(string outcome);

    function test_theFuzzerReachesEveryOutcome() external {
        for (uint256 walk = 0; walk < WALKS; ++walk) _walk(walk);
        for (uint256 i = 0; i < _outcomes.length; ++i) {
            _print(_outcomes[i], _total[_outcomes[i]]);
            if (_total[_outcomes[i]] == 0) revert NeverReached(_outcomes[i]);
        }
    }

    function _walk(uint256 walk) private {
        Handler handler = new Handler();
        handler.warmUp();
        bytes4[] memory actions = _actions(handler);
        bool success;
        for (uint256 i = 0; i < CALLS; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(walk, i)));
            // a token that burns all gas must not end the walk
            (success, ) = address(handler).call{gas: 1 << 28}(abi.encodeWithSelector(actions[seed % 22], seed));
        }
        for (uint256 i = 0; i < _outcomes.length; ++i) _total[_outcomes[i]] += handler.reached(_outcomes[i]);
    }

    function _print(string memory outcome, uint256 count) private view returns (bool success) {
        (success, ) = CONSOLE.staticcall(abi.encodeWithSignature("log(string,uint256)", outcome, count));
    }

    function _actions(Handler handler) private pure returns (bytes4[] memory list) {
        list = new bytes4[](22);
        (list[0], list[1], list[2]) = (
            handler.deposit.selector,
            handler.fundReserve.selector,
            handler.withdraw.selector
        );
        (list[3], list[4]) = (handler.collateralize.selector, handler.signStates.selector);
        (list[5], list[6], list[7]) = (handler.startExit.selector, handler.challenge.selector, handler.settle.selector);
        (list[8], list[9], list[10]) = (handler.reclaim.selector, handler.claim.selector, handler.signThread.selector);
        (list[11], list[12]) = (handler.challengeThread.selector, handler.challengeThreadWithPayment.selector);
        (list[13], list[14]) = (handler.challengeThreadWithUpdate.selector, handler.resolveThread.selector);
        (list[15], list[16]) = (handler.resolveThreadWithUpdate.selector, handler.settleThread.selector);
        (list[17], list[18]) = (handler.passTimeToDeadline.selector, handler.alicePays.selector);
        (list[19], list[20]) = (handler.aliceOpensStream.selector, handler.aliceIsPaid.selector);
        list[21] = handler.turnHostile.selector;
    }
}
