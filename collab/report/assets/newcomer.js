// What someone new would give, from what they gave: the regression of collab/estimators/fold_in.py,
// solved for the ratings instead of the factors. `rows` holds z for each movie; the dot product of
// two is how far a rating of one tells about the other.
const newcomer = {
  // the page's data with its rows as numbers
  decode(data) {
    const bytes = Uint8Array.from(atob(data.rows), (letter) => letter.charCodeAt(0));
    const whole = new DataView(bytes.buffer);
    const size = data.scale.length;
    const rows = data.start.map((_, at) => Float64Array.from(data.scale, (scale, j) => scale * whole.getInt16(2 * (at * size + j), true)));
    return { ...data, rows };
  },

  dot(a, b) {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  },

  // the lower triangle L, row by row, with L L' the symmetric positive definite matrix
  cholesky(matrix) {
    const lower = [];
    for (let i = 0; i < matrix.length; i++) {
      lower.push(new Float64Array(i + 1));
      for (let j = 0; j <= i; j++) {
        let left = matrix[i][j];
        for (let k = 0; k < j; k++) left -= lower[i][k] * lower[j][k];
        lower[i][j] = i === j ? Math.sqrt(left) : left / lower[j][j];
      }
    }
    return lower;
  },

  // x with L L' x = side
  solve(lower, side) {
    const x = Float64Array.from(side);
    for (let i = 0; i < x.length; i++) {
      for (let k = 0; k < i; k++) x[i] -= lower[i][k] * x[k];
      x[i] /= lower[i][i];
    }
    for (let i = x.length - 1; i >= 0; i--) {
      for (let k = i + 1; k < x.length; k++) x[i] -= lower[k][i] * x[k];
      x[i] /= lower[i][i];
    }
    return x;
  },

  // ratings: [place, stars] of each movie rated
  person(model, ratings) {
    const places = ratings.map(([at]) => at);
    const surprise = ratings.map(([at, stars]) => stars - model.start[at]);
    const penalty = model.ridge + model.share * ratings.length ** model.power;
    const matrix = places.map((a, i) => places.map((b, j) => newcomer.dot(model.rows[a], model.rows[b]) + (i === j ? penalty : 0)));
    const lower = newcomer.cholesky(matrix);
    const weight = newcomer.solve(lower, surprise);
    const taste = model.scale.map((_, j) => places.reduce((sum, at, i) => sum + weight[i] * model.rows[at][j], 0));
    return { places, surprise, penalty, lower, taste };
  },

  score(model, person, at) {
    return model.start[at] + newcomer.dot(model.rows[at], person.taste);
  },

  // the score of a movie, the sd of a rating around it, and how far each rating pulled it
  expect(model, person, at) {
    const row = model.rows[at];
    const near = person.places.map((place) => newcomer.dot(model.rows[place], row));
    const told = newcomer.solve(person.lower, near);
    const open = (newcomer.dot(row, row) - newcomer.dot(near, told)) / person.penalty;
    const pulls = person.places.map((place, i) => ({ at: place, pull: told[i] * person.surprise[i] }));
    const score = newcomer.score(model, person, at);
    return { at, score, sd: Math.sqrt(model.noise * (1 + open) + model.sd[at] ** 2 + model.unsure), pulls };
  },

  // the k movies of the highest score among those not rated
  recommend(model, ratings, k) {
    const person = newcomer.person(model, ratings);
    const rated = new Set(person.places);
    const scores = model.start.map((_, at) => newcomer.score(model, person, at));
    const free = [...scores.keys()].filter((at) => !rated.has(at));
    const best = free.sort((a, b) => scores[b] - scores[a] || a - b).slice(0, k);
    return best.map((at) => newcomer.expect(model, person, at));
  },
};
