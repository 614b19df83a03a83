import { expect } from "chai";
import { migrate } from "../../../hub/store/sqlite/migrate";
import { MIGRATIONS } from "../../../hub/store/sqlite/migrations";
import { SqliteDatabase } from "../../../hub/store/sqlite/sqlite-database";

const namesBefore = (name: string): number => MIGRATIONS.findIndex((each) => each.name === name);

describe("migrate", () => {
  let db: SqliteDatabase;

  beforeEach(() => (db = new SqliteDatabase(":memory:")));
  afterEach(() => db.close());

  it("applies what is missing, once, and refuses a file of a newer version", () => {
    expect(migrate(db, MIGRATIONS.slice(0, 3))).to.have.length(3);
    expect(migrate(db, MIGRATIONS)).to.deep.equal(MIGRATIONS.slice(3).map(({ name }) => name));
    expect(migrate(db, MIGRATIONS)).to.deep.equal([]);
    expect(() => migrate(db, MIGRATIONS.slice(0, 3))).to.throw("migrations of a newer version");
  });

  it("0013-payment-rows keeps every payment, and what guards it", () => {
    migrate(db, MIGRATIONS.slice(0, namesBefore("0013-payment-rows")));
    db.exec("INSERT INTO purchases VALUES ('alice', '1', 'hash', NULL, 5)");
    const insert = (id: string, link: string, at: number): void =>
      db.exec(`INSERT INTO payments VALUES
        ('${id}', 'alice', '1', 0, 'PT_LINK', 'open', NULL, ${link}, 'eth', '7', 0, 9, ${at}, NULL, NULL, NULL)`);
    insert("b", "'l1'", 5);
    insert("a", "'l2'", 6);
    const before = db.all("SELECT * FROM payments ORDER BY payment_id");
    expect(migrate(db, MIGRATIONS)).to.include("0013-payment-rows");
    expect(db.all("SELECT * FROM payments ORDER BY payment_id")).to.deep.equal(before);
    expect(() => insert("c", "'l1'", 7)).to.throw("UNIQUE constraint failed: payments.link");
    expect(() => insert("a", "'l3'", 7)).to.throw("UNIQUE constraint failed: payments.payment_id");
    expect(() => db.exec("DELETE FROM payments")).to.throw("payments stay");
    expect(() => db.exec("UPDATE payments SET amount = '8'")).to.throw("keeps its amount");
  });
});
