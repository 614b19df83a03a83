// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice One asset of a channel, as both sides see it. ETH is `asset == address(0)`.
/// @dev Conserved: `balanceHub + balanceUser + locked == depositedHub + depositedUser - withdrawnHub - withdrawnUser`.
/// The four counters are cumulative within a session.
struct AssetState {
    address asset;
    uint128 balanceHub;
    uint128 balanceUser;
    /// Sum of the stakes of all open threads.
    uint128 locked;
    uint128 depositedHub;
    uint128 depositedUser;
    uint128 withdrawnHub;
    uint128 withdrawnUser;
}

/// @notice What hub and user sign. The highest nonce wins. Nonce 0 is the unsigned zero before any signature.
struct ChannelState {
    address user;
    uint64 session;
    uint64 nonce;
    /// At most 8, strictly ascending by address, so ETH first.
    AssetState[] assets;
    /// Merkle root of the open threads' leaves; zero iff nothing is locked.
    bytes32 threadRoot;
    /// Who receives the user's part of a withdrawal; zero means the user.
    address recipient;
}

/// @notice The terms of a thread, signed by sender and receiver, either of which may be the hub.
struct Thread {
    bytes32 salt;
    address sender;
    address receiver;
    address asset;
    uint128 balanceSender;
    uint128 balanceReceiver;
    /// False: evidence can only raise the receiver's balance. True: mutually signed updates, the highest nonce wins.
    bool updatable;
    /// Unix seconds. The dispute window ends one challenge period after this, or after opening, whichever is later;
    /// two periods if the thread is updatable and has an app.
    uint64 expiry;
    /// An `IThreadApp`, or zero for none.
    address app;
    bytes32 appStateHash;
}

/// @notice Terms with both signatures. They are checked when the record is opened and not looked at again: the record
/// is keyed by the hash of the terms.
struct SignedThread {
    Thread thread;
    bytes sigSender;
    bytes sigReceiver;
}

/// @notice A `ThreadUpdate` without its thread hash (which the contract computes), with both signatures.
struct SignedThreadUpdate {
    uint64 nonce;
    uint128 balanceReceiver;
    bytes32 appStateHash;
    bytes sigSender;
    bytes sigReceiver;
}

/// @notice One line of a batch of collateral.
struct Collateral {
    address user;
    address asset;
    uint128 amount;
}

/// @notice Where a channel stands. `exitDeadline == 0` means open.
struct Channel {
    uint64 session;
    uint64 exitNonce;
    uint64 exitDeadline;
}

/// @notice Cumulative counters of (user, session, asset).
/// @dev One slot a side, so that a first withdrawal after a deposit writes to a slot that is already paid for.
struct Ledger {
    uint128 depositedHub;
    uint128 withdrawnHub;
    uint128 depositedUser;
    uint128 withdrawnUser;
}

/// @notice The adjudication of a thread, for ever. `deadline == 0` means that no evidence was ever shown.
struct ThreadRecord {
    uint128 balanceReceiver;
    uint64 nonce;
    uint40 deadline;
    bool resolved;
    bool senderPaid;
    bool receiverPaid;
}

/// @title IChannelManager
/// @notice Custody and disputes of all payment channels between one hub and its users.
/// @dev Read `docs/protocol.md` for the off-chain part and `docs/security.md` for who can do what to whom.
///
/// Requirements on a token. Safety, for the books of that token only:
/// - its balances change by transfers alone (no rebasing, no fee kept from the receiver);
/// - `transfer` returns true or nothing if it moved the amount, and reverts or returns false if it did not.
/// Liveness, for that token only:
/// - `transfer` takes less than `TOKEN_GAS`, otherwise the payment becomes claimable;
/// - it does not freeze this contract.
/// ETH and every other token are unaffected by a token that breaks these.
interface IChannelManager {
    // ------------------------------------------------------------------------------------------------ events: custody

    /// @notice `amount` joined a counter of the channel's current session; `forHub` says which.
    event Deposited(
        address indexed user,
        address indexed asset,
        address indexed payer,
        uint64 session,
        bool forHub,
        uint128 amount
    );

    /// @notice `amount` joined the reserve.
    event ReserveFunded(address indexed asset, address indexed payer, uint128 amount);

    /// @notice `amount` left the reserve and was paid to the treasury.
    event ReserveRecalled(address indexed asset, address indexed caller, uint256 amount);

    /// @notice `amount` moved from the reserve to the hub's side of the channel's current session.
    event Collateralized(address indexed user, address asset, uint128 amount);

    /// @notice Signed withdrawals were executed: `amountUser` to `recipient`, `amountHub` to the reserve.
    /// A `PayoutFailed` in the same transaction says that `amountUser` became claimable instead.
    event Withdrawn(
        address indexed user,
        address indexed asset,
        address indexed recipient,
        uint64 session,
        uint64 nonce,
        uint256 amountUser,
        uint256 amountHub
    );

    /// @notice A payment to `to` did not go through; `user` can `claim` the amount.
    event PayoutFailed(address indexed user, address indexed asset, address indexed to, uint256 amount);

    /// @notice `account` took `amount` of what failed payouts had left for it.
    event Claimed(address indexed account, address indexed asset, address indexed to, uint256 amount);

    // --------------------------------------------------------------------------------------------------- events: exit

    /// @notice An exit began with this state. Whoever holds a newer one must `challenge` before `deadline` (Unix s).
    /// @dev The signatures are here so that a side which was never given the other one can still settle; a call through
    /// another contract would hide them in a trace. Of the unsigned nonce 0 they are whatever the caller sent.
    event ExitStarted(
        address indexed user,
        address indexed caller,
        uint64 session,
        uint64 nonce,
        bytes32 stateHash,
        uint64 deadline,
        bytes sigHub,
        bytes sigUser
    );

    /// @notice A newer state replaced the standing one. The deadline did not move.
    event ExitChallenged(
        address indexed user,
        address indexed caller,
        uint64 session,
        uint64 nonce,
        bytes32 stateHash,
        uint64 deadline,
        bytes sigHub,
        bytes sigUser
    );

    /// @notice The session ended with this state; the channel is open again in `session + 1`.
    /// @dev For nonce 0 the hash may differ from the one the exit started with: any list of assets is the unsigned zero.
    event Settled(address indexed user, uint64 session, uint64 nonce, bytes32 stateHash, bytes32 threadRoot);

    /// @notice What the settlement of one asset paid: `amountUser` to the user (or claimable, see `PayoutFailed`),
    /// `amountHub` to the reserve; `locked` waits for the session's threads.
    event AssetSettled(
        address indexed user,
        address indexed asset,
        uint64 session,
        uint256 amountUser,
        uint256 amountHub,
        uint128 locked
    );

    /// @notice An ended session's deposits of an asset that its settled state did not name were paid out.
    event Reclaimed(address indexed user, address indexed asset, uint64 session, uint256 amountUser, uint256 amountHub);

    // ------------------------------------------------------------------------------------------------ events: threads

    /// @notice Evidence changed the record of a thread, or opened it. Better evidence counts before `deadline` (Unix s).
    event ThreadChallenged(
        bytes32 indexed threadHash,
        address indexed sender,
        address indexed receiver,
        uint64 nonce,
        uint128 balanceReceiver,
        uint40 deadline
    );

    /// @notice The thread's app turned the standing app state into `balanceReceiver`.
    /// @dev The resolver is here because whoever pays for a preimage on this chain needs it on another.
    event ThreadResolved(
        bytes32 indexed threadHash,
        address indexed sender,
        address indexed receiver,
        uint64 nonce,
        uint128 balanceReceiver,
        uint40 deadline,
        bytes resolver
    );

    /// @notice One leg was paid: `amountUser` to the user (or claimable, see `PayoutFailed`), `amountHub` to the reserve.
    event ThreadSettled(
        bytes32 indexed threadHash,
        address indexed user,
        address indexed asset,
        uint64 session,
        uint256 amountUser,
        uint256 amountHub
    );

    // ------------------------------------------------------------------------------------------------- errors: callers

    /// The constructor refuses the zero address and the contract itself.
    error InvalidHub(address hub);
    /// The constructor refuses the zero address, the contract itself, and the hub, whose key it must outlive.
    error InvalidTreasury(address treasury);
    /// The period must lie between 1 hour and 30 days.
    error InvalidChallengePeriod(uint256 givenSeconds, uint256 minSeconds, uint256 maxSeconds);
    /// The zero address, the hub and this contract have no channel.
    error InvalidUser(address user);
    /// Only the hub moves reserve into channels.
    error NotHub(address caller);
    /// Only the hub and the treasury recall reserve.
    error NotHubOrTreasury(address caller);
    /// Only the user, the hub and the treasury start an exit.
    error NotParty(address caller);

    // ------------------------------------------------------------------------------------------------- errors: custody

    error ZeroAmount();
    /// The ether sent must equal the amount for ETH and be zero for a token.
    error WrongEtherValue(uint256 expected, uint256 given);
    error TokenWithoutCode(address asset);
    /// The token took a fee or did not move what it said.
    error ReceivedAmountDiffers(address asset, uint256 expected, uint256 balanceBefore, uint256 balanceAfter);
    /// `needed` is the sum of a run of lines with the same asset where `collateralize` reverts.
    error ReserveTooLow(address asset, uint256 reserve, uint256 needed);
    /// Plain ether has no owner here: use `fundReserve` or `deposit`.
    error UseFundReserveOrDeposit();
    error NothingToClaim(address account, address asset);
    error InvalidRecipient(address recipient);
    /// A payment needs this much gas left, so that a relayer cannot make it fail by sending too little.
    error InsufficientGas(uint256 needed, uint256 left);

    // -------------------------------------------------------------------------------------------------- errors: states

    error SessionMismatch(uint64 current, uint64 given);
    error TooManyAssets(uint256 count, uint256 limit);
    error AssetsNotAscending(address previous, address next);
    /// Balances and locked sum do not equal deposits minus withdrawals.
    error NotConserved(address asset);
    /// The state names deposits that are not on chain.
    error NotBacked(address asset, uint128 onChainHub, uint128 onChainUser);
    /// The state is older than a withdrawal that was executed.
    error NotFresh(address asset, uint128 onChainHub, uint128 onChainUser);
    /// The thread root is zero exactly when nothing is locked.
    error ThreadRootMismatch(bytes32 threadRoot);
    /// Nonce 0 is the state before any signature: all amounts, the root and the recipient are zero.
    error UnsignedStateNotZero();
    /// The signature is malformed or somebody else's.
    error InvalidSignature(address expected);

    // ---------------------------------------------------------------------------------------------------- errors: exit

    error ChannelExiting(uint64 deadline);
    error ChannelNotExiting();
    /// No listed asset has deposits above its withdrawals.
    error NothingToExit(address user);
    error DeadlinePassed(uint64 deadline);
    error DeadlineNotReached(uint64 deadline);
    /// A state or update must be newer than the standing one; a resolution must not be about an older one.
    error NonceNotHigher(uint64 standing, uint64 given);
    error NonceDiffers(uint64 standing, uint64 given);
    error SessionNotEnded(uint64 current, uint64 given);
    error NothingToReclaim(address user, uint64 session, address asset);

    // ------------------------------------------------------------------------------------------------- errors: threads

    /// Sender and receiver are the same, the sum is zero or above 128 bits, or the expiry is out of range.
    error InvalidThread(bytes32 threadHash);
    /// The record exists and the terms alone add nothing to it.
    error ThreadAlreadyOpen(bytes32 threadHash);
    error ThreadIsFinal(bytes32 threadHash);
    error ThreadNotFinal(bytes32 threadHash, uint40 deadline);
    /// Payments exist only for threads that are not updatable and have no app.
    error PaymentNotAllowed(bytes32 threadHash);
    /// Updates exist only for updatable threads, with nonces from 1.
    error UpdateNotAllowed(bytes32 threadHash);
    /// The last period before the deadline of a thread with an app is for resolutions.
    error UpdatesClosed(bytes32 threadHash, uint40 deadline);
    error BalanceNotHigher(uint128 standing, uint128 given);
    error BalanceAboveSum(uint256 sum, uint128 given);
    error ThreadHasNoApp(bytes32 threadHash);
    error AppStateMismatch(bytes32 expected, bytes32 given);
    /// The app reverted, ran out of its gas, or did not answer with one `uint128`.
    error AppFailed(address app);
    /// An updatable thread's app resolves each nonce once.
    error AlreadyResolved(bytes32 threadHash, uint64 nonce);
    error NotThreadParty(address user);
    error LegAlreadyPaid(bytes32 threadHash, address user);
    error ThreadNotInRoot(bytes32 threadHash, bytes32 threadRoot);
    error LockedTooLow(address asset, uint256 locked, uint256 needed);

    // -------------------------------------------------------------------------------------------------- custody: money in

    /// @notice Adds to a counter of `user`'s channel, in its current session, whether or not it is exiting.
    /// @dev Anybody, at any time. ETH must come as `msg.value`; a token is pulled from the caller, never from anybody
    /// else. `forHub` credits the hub's counter: whoever is hurt by a deposit that a reorganisation removed re-funds it.
    function deposit(address user, address asset, uint128 amount, bool forHub) external payable;

    /// @notice `deposit` with an ERC-2612 permit of the caller over exactly `amount`.
    /// @dev A permit that somebody else already submitted does no harm: the allowance is there.
    function depositWithPermit(
        address user,
        address asset,
        uint128 amount,
        bool forHub,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Deposits by an EIP-3009 authorisation of `from`, made out to this contract. Anybody may relay it.
    /// @dev Credits the user's counter of `from`'s channel and nobody else's, so copying it from the mempool is useless.
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
    ) external;

    /// @notice Adds to the hub's reserve. Anybody.
    /// @dev 128 bits, so that no token which lies about its balances can fill the reserve until settlements overflow.
    function fundReserve(address asset, uint128 amount) external payable;

    /// @notice Moves reserve into the hub's side of any number of channels. The hub only; no user needs to be online.
    /// @dev Into the session that is current when it is mined, which after a settlement is the next one.
    function collateralize(Collateral[] calldata batch) external;

    // ------------------------------------------------------------------------------------------------- custody: money out

    /// @notice Pays reserve to the treasury. The hub or the treasury.
    function recallReserve(address asset, uint256 amount) external;

    /// @notice Executes what a state withdraws and the chain has not paid yet. Anybody, while the channel is open.
    /// @dev The user's part goes to the state's recipient, the hub's part to the reserve. Doing it again, or with a
    /// later state of the same counters, moves nothing.
    function withdraw(ChannelState calldata state, bytes calldata sigHub, bytes calldata sigUser) external;

    /// @notice Takes everything that failed payouts of `asset` left for the caller. No gas limit on the transfer.
    function claim(address asset, address to) external;

    // --------------------------------------------------------------------------------------------------------------- exit

    /// @notice Starts an exit. The user, the hub or the treasury. The window is one challenge period.
    function startExit(ChannelState calldata state, bytes calldata sigHub, bytes calldata sigUser) external;

    /// @notice Shows a newer state. Anybody, before the deadline, which never moves.
    function challenge(ChannelState calldata state, bytes calldata sigHub, bytes calldata sigUser) external;

    /// @notice Pays the standing state and opens the next session. Anybody, from the deadline on.
    /// @dev Of nonce 0 any list of assets will do; what is not listed is paid by `reclaim`, to the same people.
    /// Per listed asset the user gets its balance, its own deposits that the state had not accounted for, and
    /// withdrawals that it had authorised but nobody executed. The hub's side goes to the reserve.
    function settle(ChannelState calldata state, bytes calldata sigHub, bytes calldata sigUser) external;

    /// @notice Pays out an asset of an ended session that its settled state did not name. Anybody.
    function reclaim(address user, uint64 session, address asset) external;

    // ------------------------------------------------------------------------------------------------------------ threads

    /// @notice Opens the record of a thread with its terms alone. Anybody.
    /// @dev `deadline = max(now, expiry) + challengePeriodSeconds`, fixed now, never extended. An updatable thread with
    /// an app gets two periods: one for updates, one in which nothing can undo a resolution any more.
    function challengeThread(SignedThread calldata signed) external;

    /// @notice Raises the receiver's balance by a `ThreadPayment` that the sender alone signed. Anybody. Opens the
    /// record if needed.
    function challengeThreadWithPayment(
        SignedThread calldata signed,
        uint128 balanceReceiver,
        bytes calldata sigPayment
    ) external;

    /// @notice Shows a mutually signed update of a higher nonce. Anybody. Opens the record if needed.
    /// @dev With an app: not in the last period before the deadline, so that a late update cannot take away the time to
    /// resolve it.
    function challengeThreadWithUpdate(SignedThread calldata signed, SignedThreadUpdate calldata update) external;

    /// @notice Lets the app decide over the terms' app state. Anybody. Opens the record if needed.
    /// @dev Not updatable: the answer must raise the receiver's balance. Updatable: one resolution a nonce.
    function resolveThread(SignedThread calldata signed, bytes calldata appState, bytes calldata resolver) external;

    /// @notice Lets the app decide over the app state of an update, which becomes the standing one if it is newer.
    /// @dev The record holds no app state hash: it is read from the update shown, whose nonce both parties signed.
    function resolveThreadWithUpdate(
        SignedThread calldata signed,
        SignedThreadUpdate calldata update,
        bytes calldata appState,
        bytes calldata resolver
    ) external;

    /// @notice Pays one leg of a final thread out of an ended session. Anybody; each leg once, ever.
    /// @param user The thread's sender or receiver, whose channel the leg is in.
    /// @param proof Siblings from the thread's leaf up to the session's thread root.
    function settleThread(address user, uint64 session, Thread calldata thread, bytes32[] calldata proof) external;

    // -------------------------------------------------------------------------------------------------------------- views

    /// @notice Signs states for the hub and moves reserve into channels.
    function hub() external view returns (address);

    /// @notice The only address that recalled reserve is paid to.
    function treasury() external view returns (address);

    /// @notice The length of every window, in seconds.
    function challengePeriodSeconds() external view returns (uint64);

    /// @notice Where the user's channel stands: its current session and, while exiting, the standing nonce and deadline.
    function channelOf(address user) external view returns (Channel memory);

    /// @notice The counters of a session; zero once the session settled or the asset was reclaimed.
    function ledgerOf(address user, uint64 session, address asset) external view returns (Ledger memory);

    /// @notice The thread root that a session was settled with.
    function threadRootOf(address user, uint64 session) external view returns (bytes32);

    /// @notice What a settled session still holds for its threads.
    function lockedOf(address user, uint64 session, address asset) external view returns (uint256);

    /// @notice What the chain knows of a thread; all zero if no evidence was ever shown.
    function recordOf(bytes32 threadHash) external view returns (ThreadRecord memory);

    /// @notice What the hub can still move into channels or recall.
    function reserveOf(address asset) external view returns (uint256);

    /// @notice What failed payouts left for `account` to `claim`.
    function claimableOf(address account, address asset) external view returns (uint256);

    /// @notice The EIP-712 digest that hub and user sign for a state.
    function hashState(ChannelState calldata state) external view returns (bytes32 digest);

    /// @notice The struct hash of the terms: the key of the record, and what the digests of its statements name.
    function hashThread(Thread calldata thread) external pure returns (bytes32 threadHash);
}
