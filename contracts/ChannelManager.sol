// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {
    AssetState,
    Channel,
    ChannelState,
    Collateral,
    IChannelManager,
    Ledger,
    SignedThread,
    SignedThreadUpdate,
    Thread,
    ThreadRecord
} from "./interfaces/IChannelManager.sol";
import {IReceiveWithAuthorization} from "./interfaces/IReceiveWithAuthorization.sol";
import {IThreadApp} from "./interfaces/IThreadApp.sol";
import {Assets} from "./libraries/Assets.sol";
import {BalanceRules} from "./libraries/BalanceRules.sol";
import {BoundedCall} from "./libraries/BoundedCall.sol";
import {StateHash} from "./libraries/StateHash.sol";
import {ThreadRules} from "./libraries/ThreadRules.sol";

/// @title ChannelManager
/// @notice Holds everybody's money and decides disputes by what the parties signed. See `IChannelManager`.
/// @dev Every function has the same order: check, books, event, and only then payments. No owner, no pause, no upgrade.
contract ChannelManager is IChannelManager, EIP712, ReentrancyGuardTransient {
    using BalanceRules for AssetState;
    using BalanceRules for ChannelState;
    using BalanceRules for Ledger;
    using SafeCast for uint256;
    using StateHash for ChannelState;
    using StateHash for Thread;
    using ThreadRules for Thread;
    using ThreadRules for ThreadRecord;

    /// @dev What a user has with the hub: one channel, session after session.
    struct UserBooks {
        Channel channel;
        mapping(uint64 session => SessionBooks) sessions;
    }

    /// @dev Ledgers while the session runs; thread root and locked sums from its settlement on.
    struct SessionBooks {
        mapping(address asset => Ledger) ledgers;
        bytes32 threadRoot;
        mapping(address asset => uint256 amount) locked;
    }

    uint64 private constant MIN_CHALLENGE_PERIOD_SECONDS = 1 hours;
    uint64 private constant MAX_CHALLENGE_PERIOD_SECONDS = 30 days;

    /// What an app may use: exactly this, see BoundedCall.
    uint256 private constant APP_GAS = 500_000;

    /// @inheritdoc IChannelManager
    address public immutable hub;
    /// @inheritdoc IChannelManager
    address public immutable treasury;
    /// @inheritdoc IChannelManager
    uint64 public immutable challengePeriodSeconds;

    mapping(address user => UserBooks) private _users;
    mapping(bytes32 threadHash => ThreadRecord) private _records;
    mapping(address asset => uint256 amount) private _reserves;
    mapping(address account => mapping(address asset => uint256 amount)) private _claimables;

    constructor(address hub_, address treasury_, uint64 challengePeriodSeconds_) EIP712("ChannelManager", "1") {
        if (hub_ == address(0) || hub_ == address(this)) revert InvalidHub(hub_);
        if (treasury_ == address(0) || treasury_ == address(this) || treasury_ == hub_)
            revert InvalidTreasury(treasury_);
        if (
            challengePeriodSeconds_ < MIN_CHALLENGE_PERIOD_SECONDS ||
            challengePeriodSeconds_ > MAX_CHALLENGE_PERIOD_SECONDS
        ) {
            revert InvalidChallengePeriod(
                challengePeriodSeconds_,
                MIN_CHALLENGE_PERIOD_SECONDS,
                MAX_CHALLENGE_PERIOD_SECONDS
            );
        }
        hub = hub_;
        treasury = treasury_;
        challengePeriodSeconds = challengePeriodSeconds_;
    }

    receive() external payable {
        revert UseFundReserveOrDeposit();
    }

    // -------------------------------------------------------------------------------------------------- custody: money in

    /// @inheritdoc IChannelManager
    function deposit(address user, address asset, uint128 amount, bool forHub) external payable nonReentrant {
        _deposit(user, asset, amount, forHub);
    }

    /// @inheritdoc IChannelManager
    function depositWithPermit(
        address user,
        address asset,
        uint128 amount,
        bool forHub,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant {
        Assets.requireCode(asset);
        // Whoever front-runs the permit leaves the allowance in place; what counts is whether the pull succeeds.
        try IERC20Permit(asset).permit(msg.sender, address(this), amount, permitDeadline, v, r, s) {} catch {}
        _deposit(user, asset, amount, forHub);
    }

    /// @inheritdoc IChannelManager
    function depositWithAuthorization(
        address from,
        address asset,
        uint128 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 authorizationNonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant {
        _requireUser(from);
        if (amount == 0) revert ZeroAmount();
        uint256 balanceBefore = Assets.tokenBalance(asset);
        IReceiveWithAuthorization(asset).receiveWithAuthorization(
            from,
            address(this),
            amount,
            validAfter,
            validBefore,
            authorizationNonce,
            v,
            r,
            s
        );
        Assets.requireReceived(asset, amount, balanceBefore);
        _credit(from, asset, amount, false, from);
    }

    /// @inheritdoc IChannelManager
    function fundReserve(address asset, uint128 amount) external payable nonReentrant {
        if (amount == 0) revert ZeroAmount();
        Assets.pull(asset, amount);
        _reserves[asset] += amount;
        emit ReserveFunded(asset, msg.sender, amount);
    }

    /// @inheritdoc IChannelManager
    function collateralize(Collateral[] calldata batch) external {
        if (msg.sender != hub) revert NotHub(msg.sender);
        address asset; // of the run of lines at hand
        uint256 taken; // by that run, so that it costs one write to the reserve
        for (uint256 i = 0; i < batch.length; ++i) {
            (address user, uint128 amount) = (batch[i].user, batch[i].amount);
            if (batch[i].asset != asset) {
                _takeReserve(asset, taken);
                (asset, taken) = (batch[i].asset, 0);
            }
            unchecked {
                taken += amount; // 128-bit amounts: no calldata is long enough to overflow 256 bits
            }
            _collateralize(user, asset, amount);
        }
        _takeReserve(asset, taken);
    }

    // ------------------------------------------------------------------------------------------------- custody: money out

    /// @inheritdoc IChannelManager
    function recallReserve(address asset, uint256 amount) external nonReentrant {
        if (msg.sender != hub && msg.sender != treasury) revert NotHubOrTreasury(msg.sender);
        if (amount == 0) revert ZeroAmount();
        _takeReserve(asset, amount);
        emit ReserveRecalled(asset, msg.sender, amount);
        Assets.send(asset, treasury, amount);
    }

    /// @inheritdoc IChannelManager
    function withdraw(ChannelState memory state, bytes calldata sigHub, bytes calldata sigUser) external nonReentrant {
        UserBooks storage userBooks = _users[state.user];
        Channel memory current = userBooks.channel;
        if (current.exitDeadline != 0) revert ChannelExiting(current.exitDeadline);
        SessionBooks storage books = userBooks.sessions[current.session];
        _verify(state, current.session, books, sigHub, sigUser);

        address recipient = state.recipient == address(0) ? state.user : state.recipient;
        uint256[] memory payouts = new uint256[](state.assets.length);
        for (uint256 i = 0; i < payouts.length; ++i) {
            payouts[i] = _bookWithdrawal(state, state.assets[i], books, recipient);
        }
        _payOutAll(state, recipient, payouts);
    }

    /// @inheritdoc IChannelManager
    function claim(address asset, address to) external nonReentrant {
        if (to == address(0) || to == address(this)) revert InvalidRecipient(to);
        uint256 amount = _claimables[msg.sender][asset];
        if (amount == 0) revert NothingToClaim(msg.sender, asset);
        delete _claimables[msg.sender][asset];
        emit Claimed(msg.sender, asset, to, amount);
        Assets.send(asset, to, amount);
    }

    // --------------------------------------------------------------------------------------------------------------- exit

    /// @inheritdoc IChannelManager
    function startExit(ChannelState memory state, bytes calldata sigHub, bytes calldata sigUser) external {
        if (msg.sender != state.user && msg.sender != hub && msg.sender != treasury) revert NotParty(msg.sender);
        UserBooks storage userBooks = _users[state.user];
        Channel memory current = userBooks.channel;
        if (current.exitDeadline != 0) revert ChannelExiting(current.exitDeadline);
        SessionBooks storage books = userBooks.sessions[current.session];
        bytes32 stateHash = _verify(state, current.session, books, sigHub, sigUser);
        _requireSomethingToExit(state, books);

        uint64 deadline = uint64(block.timestamp) + challengePeriodSeconds;
        _write(userBooks.channel, current.session, state.nonce, deadline);
        emit ExitStarted(state.user, msg.sender, current.session, state.nonce, stateHash, deadline, sigHub, sigUser);
    }

    /// @inheritdoc IChannelManager
    function challenge(ChannelState memory state, bytes calldata sigHub, bytes calldata sigUser) external {
        UserBooks storage userBooks = _users[state.user];
        Channel memory current = userBooks.channel;
        if (current.exitDeadline == 0) revert ChannelNotExiting();
        if (block.timestamp >= current.exitDeadline) revert DeadlinePassed(current.exitDeadline);
        if (state.nonce <= current.exitNonce) revert NonceNotHigher(current.exitNonce, state.nonce);
        SessionBooks storage books = userBooks.sessions[current.session];
        bytes32 stateHash = _verify(state, current.session, books, sigHub, sigUser);

        _write(userBooks.channel, current.session, state.nonce, current.exitDeadline);
        emit ExitChallenged(
            state.user,
            msg.sender,
            current.session,
            state.nonce,
            stateHash,
            current.exitDeadline,
            sigHub,
            sigUser
        );
    }

    /// @inheritdoc IChannelManager
    function settle(ChannelState memory state, bytes calldata sigHub, bytes calldata sigUser) external nonReentrant {
        UserBooks storage userBooks = _users[state.user];
        Channel memory current = userBooks.channel;
        if (current.exitDeadline == 0) revert ChannelNotExiting();
        if (block.timestamp < current.exitDeadline) revert DeadlineNotReached(current.exitDeadline);
        if (state.nonce != current.exitNonce) revert NonceDiffers(current.exitNonce, state.nonce);
        SessionBooks storage books = userBooks.sessions[current.session];
        bytes32 stateHash = _verify(state, current.session, books, sigHub, sigUser);

        _write(userBooks.channel, current.session + 1, 0, 0);
        if (state.threadRoot != 0) books.threadRoot = state.threadRoot;
        emit Settled(state.user, current.session, state.nonce, stateHash, state.threadRoot);
        uint256[] memory payouts = new uint256[](state.assets.length);
        for (uint256 i = 0; i < payouts.length; ++i) {
            payouts[i] = _bookSettlement(state, state.assets[i], books);
        }
        _payOutAll(state, state.user, payouts);
    }

    /// @inheritdoc IChannelManager
    function reclaim(address user, uint64 session, address asset) external nonReentrant {
        uint64 current = _users[user].channel.session;
        if (session >= current) revert SessionNotEnded(current, session);
        SessionBooks storage books = _users[user].sessions[session];
        (uint256 amountUser, uint256 amountHub) = books.ledgers[asset].reclaimable();
        if (amountUser + amountHub == 0) revert NothingToReclaim(user, session, asset);

        delete books.ledgers[asset];
        _addReserve(asset, amountHub);
        emit Reclaimed(user, asset, session, amountUser, amountHub);
        _payOut(user, user, asset, amountUser);
    }

    // ------------------------------------------------------------------------------------------------------------ threads

    /// @inheritdoc IChannelManager
    function challengeThread(SignedThread calldata signed) external {
        bytes32 threadHash = signed.thread.hash();
        if (_records[threadHash].deadline != 0) revert ThreadAlreadyOpen(threadHash);
        _storeChallenged(threadHash, signed.thread, _newRecord(threadHash, signed));
    }

    /// @inheritdoc IChannelManager
    function challengeThreadWithPayment(
        SignedThread calldata signed,
        uint128 balanceReceiver,
        bytes calldata sigPayment
    ) external {
        (bytes32 threadHash, ThreadRecord memory record) = _loadOrOpen(signed);
        if (signed.thread.updatable || signed.thread.app != address(0)) revert PaymentNotAllowed(threadHash);
        bytes32 digest = _hashTypedDataV4(StateHash.hashPayment(threadHash, balanceReceiver));
        _requireSigner(signed.thread.sender, digest, sigPayment);

        record.raise(signed.thread, balanceReceiver);
        _storeChallenged(threadHash, signed.thread, record);
    }

    /// @inheritdoc IChannelManager
    function challengeThreadWithUpdate(SignedThread calldata signed, SignedThreadUpdate calldata update) external {
        (bytes32 threadHash, ThreadRecord memory record) = _loadOrOpen(signed);
        if (update.nonce <= record.nonce) revert NonceNotHigher(record.nonce, update.nonce);
        _requireUpdate(threadHash, signed.thread, update);

        _supersede(threadHash, signed.thread, record, update);
        _storeChallenged(threadHash, signed.thread, record);
    }

    /// @inheritdoc IChannelManager
    function resolveThread(SignedThread calldata signed, bytes calldata appState, bytes calldata resolver) external {
        (bytes32 threadHash, ThreadRecord memory record) = _loadOrOpen(signed);
        if (record.nonce != 0) revert NonceNotHigher(record.nonce, 0);
        _resolve(threadHash, signed.thread, record, signed.thread.appStateHash, appState, resolver);
    }

    /// @inheritdoc IChannelManager
    function resolveThreadWithUpdate(
        SignedThread calldata signed,
        SignedThreadUpdate calldata update,
        bytes calldata appState,
        bytes calldata resolver
    ) external {
        (bytes32 threadHash, ThreadRecord memory record) = _loadOrOpen(signed);
        if (update.nonce < record.nonce) revert NonceNotHigher(record.nonce, update.nonce);
        _requireUpdate(threadHash, signed.thread, update);

        if (update.nonce > record.nonce) _supersede(threadHash, signed.thread, record, update);
        _resolve(threadHash, signed.thread, record, update.appStateHash, appState, resolver);
    }

    /// @inheritdoc IChannelManager
    function settleThread(
        address user,
        uint64 session,
        Thread calldata thread,
        bytes32[] calldata proof
    ) external nonReentrant {
        bytes32 threadHash = thread.hash();
        SessionBooks storage books = _users[user].sessions[session];
        bytes32 root = books.threadRoot;
        if (!MerkleProof.verifyCalldata(proof, root, keccak256(abi.encode(threadHash)))) {
            revert ThreadNotInRoot(threadHash, root);
        }
        uint256 amountReceiver = _markPaid(threadHash, thread, user);
        uint256 amountSender = thread.sum() - amountReceiver;
        _takeLocked(books, thread.asset, amountSender + amountReceiver);

        (uint256 amountUser, uint256 amountHub) = user == thread.sender
            ? (amountSender, amountReceiver)
            : (amountReceiver, amountSender);
        _addReserve(thread.asset, amountHub);
        emit ThreadSettled(threadHash, user, thread.asset, session, amountUser, amountHub);
        _payOut(user, user, thread.asset, amountUser);
    }

    // -------------------------------------------------------------------------------------------------------------- views

    /// @inheritdoc IChannelManager
    function channelOf(address user) external view returns (Channel memory) {
        return _users[user].channel;
    }

    /// @inheritdoc IChannelManager
    function ledgerOf(address user, uint64 session, address asset) external view returns (Ledger memory) {
        return _users[user].sessions[session].ledgers[asset];
    }

    /// @inheritdoc IChannelManager
    function threadRootOf(address user, uint64 session) external view returns (bytes32) {
        return _users[user].sessions[session].threadRoot;
    }

    /// @inheritdoc IChannelManager
    function lockedOf(address user, uint64 session, address asset) external view returns (uint256) {
        return _users[user].sessions[session].locked[asset];
    }

    /// @inheritdoc IChannelManager
    function recordOf(bytes32 threadHash) external view returns (ThreadRecord memory) {
        return _records[threadHash];
    }

    /// @inheritdoc IChannelManager
    function reserveOf(address asset) external view returns (uint256) {
        return _reserves[asset];
    }

    /// @inheritdoc IChannelManager
    function claimableOf(address account, address asset) external view returns (uint256) {
        return _claimables[account][asset];
    }

    /// @inheritdoc IChannelManager
    function hashState(ChannelState memory state) external view returns (bytes32 digest) {
        return _hashTypedDataV4(state.hash());
    }

    /// @inheritdoc IChannelManager
    function hashThread(Thread calldata thread) external pure returns (bytes32 threadHash) {
        return thread.hash();
    }

    // -------------------------------------------------------------------------------------------------- internals: states

    /// @dev The one verifier: whatever uses a state passes here. Returns the state's struct hash.
    function _verify(
        ChannelState memory state,
        uint64 session,
        SessionBooks storage books,
        bytes calldata sigHub,
        bytes calldata sigUser
    ) private view returns (bytes32 stateHash) {
        _requireUser(state.user);
        if (state.session != session) revert SessionMismatch(session, state.session);
        state.requireValid(books.ledgers);
        stateHash = state.hash();
        if (state.nonce != 0) {
            bytes32 digest = _hashTypedDataV4(stateHash);
            _requireSigner(hub, digest, sigHub);
            _requireSigner(state.user, digest, sigUser);
        }
    }

    /// @dev The only place that knows what a signature is. 65 bytes, or 64 as in EIP-2098; low s.
    function _requireSigner(address expected, bytes32 digest, bytes calldata signature) private pure {
        (uint8 v, bytes32 r, bytes32 s) = ECDSA.parseCalldata(signature);
        (address signer, , ) = ECDSA.tryRecover(digest, v, r, s);
        if (signer == address(0) || signer != expected) revert InvalidSignature(expected);
    }

    function _requireUser(address user) private view {
        if (user == address(0) || user == hub || user == address(this)) revert InvalidUser(user);
    }

    function _requireSomethingToExit(ChannelState memory state, SessionBooks storage books) private view {
        for (uint256 i = 0; i < state.assets.length; ++i) {
            if (books.ledgers[state.assets[i].asset].remaining() != 0) return;
        }
        revert NothingToExit(state.user);
    }

    // --------------------------------------------------------------------------------------------------- internals: books

    function _deposit(address user, address asset, uint128 amount, bool forHub) private {
        _requireUser(user);
        if (amount == 0) revert ZeroAmount();
        Assets.pull(asset, amount);
        _credit(user, asset, amount, forHub, msg.sender);
    }

    function _credit(address user, address asset, uint128 amount, bool forHub, address payer) private {
        UserBooks storage userBooks = _users[user];
        uint64 session = userBooks.channel.session;
        Ledger storage ledger = userBooks.sessions[session].ledgers[asset];
        if (forHub) ledger.depositedHub = (uint256(ledger.depositedHub) + amount).toUint128();
        else ledger.depositedUser = (uint256(ledger.depositedUser) + amount).toUint128();
        emit Deposited(user, asset, payer, session, forHub, amount);
    }

    function _collateralize(address user, address asset, uint128 amount) private {
        _requireUser(user);
        UserBooks storage userBooks = _users[user];
        Ledger storage ledger = userBooks.sessions[userBooks.channel.session].ledgers[asset];
        ledger.depositedHub = (uint256(ledger.depositedHub) + amount).toUint128();
        emit Collateralized(user, asset, amount);
    }

    function _bookWithdrawal(
        ChannelState memory state,
        AssetState memory row,
        SessionBooks storage books,
        address recipient
    ) private returns (uint256 amountUser) {
        Ledger storage ledger = books.ledgers[row.asset];
        amountUser = row.withdrawnUser - ledger.withdrawnUser;
        uint256 amountHub = row.withdrawnHub - ledger.withdrawnHub;
        if (amountUser == 0 && amountHub == 0) return 0;

        if (amountUser != 0) ledger.withdrawnUser = row.withdrawnUser;
        if (amountHub != 0) ledger.withdrawnHub = row.withdrawnHub;
        _addReserve(row.asset, amountHub);
        emit Withdrawn(state.user, row.asset, recipient, state.session, state.nonce, amountUser, amountHub);
    }

    function _bookSettlement(
        ChannelState memory state,
        AssetState memory row,
        SessionBooks storage books
    ) private returns (uint256 amountUser) {
        Ledger storage ledger = books.ledgers[row.asset];
        uint256 amountHub;
        (amountUser, amountHub) = row.settlement(ledger);

        delete books.ledgers[row.asset];
        if (row.locked != 0) books.locked[row.asset] = row.locked;
        _addReserve(row.asset, amountHub);
        emit AssetSettled(state.user, row.asset, state.session, amountUser, amountHub, row.locked);
    }

    /// @dev Field by field, which the compiler merges into one write; a struct from memory it does not.
    function _write(Channel storage channel, uint64 session, uint64 exitNonce, uint64 exitDeadline) private {
        channel.session = session;
        channel.exitNonce = exitNonce;
        channel.exitDeadline = exitDeadline;
    }

    function _addReserve(address asset, uint256 amount) private {
        if (amount != 0) _reserves[asset] += amount;
    }

    function _takeReserve(address asset, uint256 amount) private {
        if (amount == 0) return;
        uint256 available = _reserves[asset];
        if (available < amount) revert ReserveTooLow(asset, available, amount);
        unchecked {
            _reserves[asset] = available - amount; // amount <= available, checked one line above
        }
    }

    function _takeLocked(SessionBooks storage books, address asset, uint256 amount) private {
        uint256 available = books.locked[asset];
        if (available < amount) revert LockedTooLow(asset, available, amount);
        books.locked[asset] = available - amount;
    }

    // ------------------------------------------------------------------------------------------------- internals: threads

    /// @dev The record to judge evidence against. An existing one proves that the terms' signatures were shown.
    function _loadOrOpen(
        SignedThread calldata signed
    ) private view returns (bytes32 threadHash, ThreadRecord memory record) {
        threadHash = signed.thread.hash();
        record = _records[threadHash];
        if (record.deadline == 0) record = _newRecord(threadHash, signed);
        else if (record.isFinal(signed.thread)) revert ThreadIsFinal(threadHash);
    }

    function _newRecord(
        bytes32 threadHash,
        SignedThread calldata signed
    ) private view returns (ThreadRecord memory record) {
        Thread calldata thread = signed.thread;
        uint256 sum = thread.sum();
        uint256 deadline = Math.max(block.timestamp, thread.expiry) + challengePeriodSeconds;
        if (thread.isUpdatableApp()) deadline += challengePeriodSeconds; // one for updates, then one for resolutions
        if (thread.sender == thread.receiver || sum == 0 || sum > type(uint128).max || deadline > type(uint40).max)
            revert InvalidThread(threadHash);
        bytes32 digest = _hashTypedDataV4(threadHash);
        _requireSigner(thread.sender, digest, signed.sigSender);
        _requireSigner(thread.receiver, digest, signed.sigReceiver);
        record.balanceReceiver = thread.balanceReceiver;
        record.deadline = uint40(deadline);
    }

    function _requireUpdate(
        bytes32 threadHash,
        Thread calldata thread,
        SignedThreadUpdate calldata update
    ) private view {
        if (!thread.updatable || update.nonce == 0) revert UpdateNotAllowed(threadHash);
        thread.requireWithinSum(update.balanceReceiver);
        bytes32 digest = _hashTypedDataV4(StateHash.hashUpdate(threadHash, update));
        _requireSigner(thread.sender, digest, update.sigSender);
        _requireSigner(thread.receiver, digest, update.sigReceiver);
    }

    /// @dev A resolution needs a window that no update can cut short, so with an app the last period has no updates.
    function _supersede(
        bytes32 threadHash,
        Thread calldata thread,
        ThreadRecord memory record,
        SignedThreadUpdate calldata update
    ) private view {
        if (thread.isUpdatableApp() && block.timestamp >= record.deadline - challengePeriodSeconds) {
            revert UpdatesClosed(threadHash, record.deadline);
        }
        record.supersede(update);
    }

    function _resolve(
        bytes32 threadHash,
        Thread calldata thread,
        ThreadRecord memory record,
        bytes32 appStateHash,
        bytes calldata appState,
        bytes calldata resolver
    ) private {
        if (thread.app == address(0)) revert ThreadHasNoApp(threadHash);
        if (record.isFinal(thread)) revert ThreadIsFinal(threadHash);
        if (keccak256(appState) != appStateHash) revert AppStateMismatch(appStateHash, keccak256(appState));
        uint128 balanceReceiver = _askApp(thread, appState, resolver);

        if (thread.updatable) {
            if (record.resolved) revert AlreadyResolved(threadHash, record.nonce);
            thread.requireWithinSum(balanceReceiver);
            record.balanceReceiver = balanceReceiver;
        } else {
            record.raise(thread, balanceReceiver);
        }
        record.resolved = true;
        _records[threadHash] = record;
        emit ThreadResolved(
            threadHash,
            thread.sender,
            thread.receiver,
            record.nonce,
            record.balanceReceiver,
            record.deadline,
            resolver
        );
    }

    function _askApp(
        Thread calldata thread,
        bytes calldata appState,
        bytes calldata resolver
    ) private view returns (uint128) {
        bytes memory question = abi.encodeCall(IThreadApp.resolve, (thread, appState, resolver));
        (bool success, uint256 size, uint256 answer) = BoundedCall.staticCallWithGas(thread.app, APP_GAS, question);
        if (!success || size != 32 || answer > type(uint128).max) revert AppFailed(thread.app);
        return uint128(answer);
    }

    function _storeChallenged(bytes32 threadHash, Thread calldata thread, ThreadRecord memory record) private {
        _records[threadHash] = record;
        emit ThreadChallenged(
            threadHash,
            thread.sender,
            thread.receiver,
            record.nonce,
            record.balanceReceiver,
            record.deadline
        );
    }

    /// @dev Each leg once, ever. Returns what the receiver gets.
    function _markPaid(bytes32 threadHash, Thread calldata thread, address user) private returns (uint256) {
        ThreadRecord memory record = _records[threadHash];
        if (!record.isFinal(thread)) revert ThreadNotFinal(threadHash, record.deadline);
        if (user == thread.sender) {
            if (record.senderPaid) revert LegAlreadyPaid(threadHash, user);
            record.senderPaid = true;
        } else if (user == thread.receiver) {
            if (record.receiverPaid) revert LegAlreadyPaid(threadHash, user);
            record.receiverPaid = true;
        } else {
            revert NotThreadParty(user);
        }
        _records[threadHash] = record;
        return record.balanceReceiver;
    }

    // ------------------------------------------------------------------------------------------------- internals: payouts

    function _payOutAll(ChannelState memory state, address to, uint256[] memory amounts) private {
        for (uint256 i = 0; i < amounts.length; ++i) {
            _payOut(state.user, to, state.assets[i].asset, amounts[i]);
        }
    }

    /// @dev Pays `to`, or leaves the amount for `user` to claim: a bad payee or token never blocks anybody else.
    function _payOut(address user, address to, address asset, uint256 amount) private {
        if (amount == 0 || Assets.trySend(asset, to, amount)) return;
        _claimables[user][asset] += amount;
        emit PayoutFailed(user, asset, to, amount);
    }
}
