// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Dice} from "./Dice.sol";
import {Drafts} from "./Drafts.sol";
import {vm} from "../Vm.sol";
import {Rule} from "./Rule.sol";

/// @title DepositHandler
/// @notice Money in: deposits of every kind into anybody's channel, the reserve, and donations nobody asked for.
abstract contract DepositHandler is Drafts {
    /// @dev For calls that must move neither an exit nor a thread.
    modifier custody() {
        bytes32 before = _channels();
        _;
        _hold(_channels() == before, Rule.NothingDelaysAnythingElse, "custody changed a channel");
        _observeThreads(false);
    }

    function deposit(uint256 seed) external custody {
        Dice memory dice = Dice(seed);
        (address user, address asset, bool forHub) = (dice.pick(users), dice.pick(assets), dice.oneIn(4));
        _deposit(user, asset, _amount(dice), forHub);
    }

    function depositWithPermit(uint256 seed) external custody {
        Dice memory dice = Dice(seed);
        (address owner, address user, uint128 amount) = (dice.pick(colluders), dice.pick(users), _amount(dice));
        honest.mint(owner, amount);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf[dice.oneIn(8) ? hub : owner], _permitDigest(owner, amount));
        if (dice.oneIn(2)) {
            // the front-runner: whether or not the permit is good, this must do no harm
            try honest.permit(owner, address(manager), amount, type(uint256).max, v, r, s) {} catch {}
        }
        bytes memory data = abi.encodeCall(
            manager.depositWithPermit,
            (user, address(honest), amount, false, type(uint256).max, v, r, s)
        );
        _act(owner, 0, data);
        _credited(user, address(honest), amount, false);
    }

    /// @dev Relayed by a stranger, who must not be able to turn it to another channel: only the payer's is credited.
    function depositWithAuthorization(uint256 seed) external custody {
        Dice memory dice = Dice(seed);
        (address from, address asset) = (dice.pick(users), dice.pick(assets));
        uint128 amount = _amount(dice);
        bytes32 nonce = bytes32(dice.next());
        honest.mint(from, amount);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf[from], _authorizationDigest(from, amount, nonce));
        bytes memory data = abi.encodeCall(
            manager.depositWithAuthorization,
            (from, asset, amount, 0, type(uint256).max, nonce, v, r, s)
        );
        _act(stranger, 0, data);
        _credited(from, asset, amount, false);
        (bool again, ) = _try(stranger, 0, data);
        if (again) _credited(from, asset, amount, false);
        _hold(!again || !_isTruthful(asset), Rule.HonestOthersKeepTheirDue, "an authorisation was used twice");
    }

    function fundReserve(uint256 seed) external custody {
        Dice memory dice = Dice(seed);
        address asset = dice.pick(assets);
        uint128 amount = _amount(dice);
        uint256 value = _prepare(asset, amount);
        _act(stranger, value, abi.encodeCall(manager.fundReserve, (asset, amount)));
        reserves[asset] += amount;
        everFunded[asset] += amount;
    }

    /// @dev Forced ether (as by a self-destruction) and tokens sent without a deposit belong to nobody.
    function donate(uint256 seed) external custody {
        Dice memory dice = Dice(seed);
        uint256 amount = dice.below(1_000);
        if (dice.oneIn(2)) {
            vm.deal(address(manager), address(manager).balance + amount);
            donated[ETH] += amount;
        } else {
            honest.mint(address(manager), amount);
            donated[address(honest)] += amount;
        }
    }

    // ------------------------------------------------------------------------------------------------------- helpers

    function _deposit(address user, address asset, uint128 amount, bool forHub) internal {
        uint256 value = _prepare(asset, amount);
        _act(stranger, value, abi.encodeCall(manager.deposit, (user, asset, amount, forHub)));
        _credited(user, asset, amount, forHub);
    }

    function _amount(Dice memory dice) internal pure returns (uint128) {
        uint256 kind = dice.below(48);
        if (kind == 0) return 0;
        if (kind == 1) return type(uint128).max - uint128(dice.below(2));
        return uint128(1 + dice.below(1_000_000));
    }

    /// @dev Gives the stranger a token to deposit; returns the ether to send.
    function _prepare(address asset, uint128 amount) private returns (uint256 value) {
        if (asset == ETH) return amount;
        if (asset == address(honest)) {
            honest.mint(stranger, amount);
            vm.prank(stranger);
            honest.approve(address(manager), amount);
        }
    }

    function _permitDigest(address owner, uint256 amount) private view returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        uint256 nonce = honest.nonces(owner);
        return _tokenDigest(abi.encode(typeHash, owner, manager, amount, nonce, type(uint256).max));
    }

    function _authorizationDigest(address from, uint256 amount, bytes32 nonce) private view returns (bytes32) {
        bytes32 typeHash = honest.RECEIVE_WITH_AUTHORIZATION_TYPEHASH();
        return _tokenDigest(abi.encode(typeHash, from, manager, amount, 0, type(uint256).max, nonce));
    }

    function _tokenDigest(bytes memory encoded) private view returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", honest.DOMAIN_SEPARATOR(), keccak256(encoded)));
    }

    function _channels() internal view returns (bytes32 digest) {
        for (uint256 i = 0; i < users.length; ++i) digest = keccak256(abi.encode(digest, manager.channelOf(users[i])));
    }
}
