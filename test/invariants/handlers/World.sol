// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {HashlockApp} from "../../../contracts/apps/HashlockApp.sol";
import {SignedApp} from "../../../contracts/apps/SignedApp.sol";
import {IChannelManager, Ledger, Thread, ThreadRecord} from "../../../contracts/interfaces/IChannelManager.sol";
import {StateHash} from "../../../contracts/libraries/StateHash.sol";
import {LocalToken} from "../../../contracts/local/LocalToken.sol";
import {HostileApp} from "../../../contracts/test/apps/HostileApp.sol";
import {vm} from "../Vm.sol";
import {FickleReceiver} from "./FickleReceiver.sol";
import {FickleToken} from "./FickleToken.sol";

/// @title World
/// @notice The system under attack and everybody in it. Everybody whose key is here signs whatever the fuzzer wants,
/// the hub included; only Alice (see `BystanderHandler`) signs what an honest user would.
abstract contract World {
    address internal constant ETH = address(0);
    uint64 internal constant PERIOD = 1 days;
    uint256 internal constant ASSETS = 3;

    IChannelManager internal immutable manager;
    LocalToken internal immutable honest;
    FickleToken internal immutable hostile;
    FickleReceiver internal immutable payee;
    HashlockApp internal immutable hashlock;
    SignedApp internal immutable signedApp;
    HostileApp internal immutable hostileApp;

    address internal immutable hub;
    address internal immutable treasury;
    address internal immutable alice;
    address internal immutable stranger;
    /// Everybody with a channel: Alice, three colluders, and the treasury, which is also a party to every exit.
    address[] internal users;
    /// The same, some more often: attacks take several steps in one channel.
    address[] internal busyUsers;
    /// Who may be on either side of the colluders' threads: they and the hub.
    address[] internal colluders;
    /// Where withdrawals may be sent; zero is the user.
    address[] internal recipients;
    /// ETH, the honest and the hostile token, ascending.
    address[] internal assets;

    bytes32 private immutable _domain;
    mapping(address account => uint256 key) internal keyOf;

    constructor() {
        hub = _person("hub");
        treasury = _person("treasury");
        alice = _person("alice");
        stranger = _person("stranger");
        colluders = [_person("mallory"), _person("mike"), _person("trudy"), treasury, hub];
        users = [alice, colluders[0], colluders[1], colluders[2], treasury];
        busyUsers = [alice, alice, colluders[0], colluders[1], colluders[2], colluders[2], colluders[2], treasury];

        // by name and not by import: compiled as it is deployed (foundry.toml), while the handlers compile faster
        bytes memory arguments = abi.encode(hub, treasury, PERIOD);
        manager = IChannelManager(vm.deployCode("ChannelManager.sol:ChannelManager", arguments));
        honest = new LocalToken("Honest", "HON");
        hostile = new FickleToken();
        payee = new FickleReceiver();
        hashlock = new HashlockApp();
        signedApp = new SignedApp();
        hostileApp = new HostileApp();
        bool ordered = address(honest) < address(hostile);
        assets = [ETH, ordered ? address(honest) : address(hostile), ordered ? address(hostile) : address(honest)];
        recipients = [ETH, ETH, ETH, stranger, address(payee), address(manager), address(hostile)];
        _domain = _domainOf(address(manager));
    }

    function _person(string memory name) private returns (address account) {
        uint256 key = uint256(keccak256(bytes(name)));
        account = vm.addr(key);
        keyOf[account] = key;
        vm.label(account, name);
    }

    function _domainOf(address verifier) private view returns (bytes32) {
        bytes32 typeHash = keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
        );
        return keccak256(abi.encode(typeHash, keccak256("ChannelManager"), keccak256("1"), block.chainid, verifier));
    }

    // ------------------------------------------------------------------------------------------------------- signing

    function _sign(address signer, bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf[signer], digest);
        return abi.encodePacked(r, s, v);
    }

    function _signStruct(address signer, bytes32 structHash) internal view returns (bytes memory) {
        return _sign(signer, keccak256(abi.encodePacked("\x19\x01", _domain, structHash)));
    }

    function _signPayment(address signer, bytes32 threadHash, uint128 amount) internal view returns (bytes memory) {
        return _signStruct(signer, StateHash.hashPayment(threadHash, amount));
    }

    // ---------------------------------------------------------------------------------------------------- the chain

    function _session(address user) internal view returns (uint64) {
        return manager.channelOf(user).session;
    }

    function _balance(address asset, address account) internal view returns (uint256) {
        return asset == ETH ? account.balance : LocalToken(asset).balanceOf(account);
    }

    /// @dev Whether this asset's balances can be believed.
    function _isTruthful(address asset) internal view returns (bool) {
        return asset != address(hostile);
    }

    function _remaining(Ledger memory ledger) internal pure returns (uint256) {
        unchecked {
            return uint256(ledger.depositedHub) + ledger.depositedUser - ledger.withdrawnHub - ledger.withdrawnUser;
        }
    }

    function _sum(Thread memory thread) internal pure returns (uint128) {
        return thread.balanceSender + thread.balanceReceiver;
    }

    /// @dev Updates and resolutions by an app take turns, one period each; everything else shares one.
    function _window(Thread memory thread) internal pure returns (uint256) {
        return thread.updatable && thread.app != address(0) ? 2 * PERIOD : PERIOD;
    }

    /// @dev The contract's own rule in other words: the deadline is over, or no evidence could change anything.
    function _isFinal(Thread memory thread, ThreadRecord memory record) internal view returns (bool) {
        if (record.deadline == 0) return false;
        if (block.timestamp >= record.deadline) return true;
        if (thread.updatable) return record.nonce == type(uint64).max;
        return record.balanceReceiver == _sum(thread);
    }
}
